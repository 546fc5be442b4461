using FramePainter.Backends;
using FramePainter.Graphs;

namespace FramePainter.Pipeline;

/// <summary>Runs a plan with one input and one output, in memory that is given back at once.</summary>
static class PlanRun
{
    /// <summary>Runs it once.</summary>
    public static float[] Once(IBackend backend, IWeightStore weights, Plan plan, string input, float[] values, string output, CancellationToken cancel)
    {
        var result = new float[plan.Graph.Output(output).Shape.Count];
        Once(backend, weights, plan, input, source => source.Write(values), output, destination => destination.Read(result), cancel);
        return result;
    }

    /// <summary>The same, with what its input is written by and what reads its output.</summary>
    public static void Once(
        IBackend backend, IWeightStore weights, Plan plan, string input, Action<IDeviceBuffer> write, string output, Action<IDeviceBuffer> read, CancellationToken cancel)
    {
        using var executable = backend.Compile(plan, weights);
        var (from, to) = (plan.Graph.Input(input), plan.Graph.Output(output));
        using var source = backend.Allocate(from.Bytes);
        using var destination = backend.Allocate(to.Bytes);
        write(source);
        executable.Bind(from, source);
        executable.Bind(to, destination);
        executable.Run(cancel);
        read(destination);
    }
}
