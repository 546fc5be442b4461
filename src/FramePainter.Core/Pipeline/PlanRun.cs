using FramePainter.Backends;
using FramePainter.Graphs;

namespace FramePainter.Pipeline;

/// <summary>Runs a plan with one input and one output, in memory that is given back at once.</summary>
static class PlanRun
{
    /// <summary>Runs it once.</summary>
    public static float[] Once(IBackend backend, IWeightStore weights, Plan plan, string input, ReadOnlySpan<float> values, string output, CancellationToken cancel)
    {
        using var executable = backend.Compile(plan, weights);
        var (from, to) = (plan.Graph.Input(input), plan.Graph.Output(output));
        using var source = backend.Allocate(from.Bytes);
        using var destination = backend.Allocate(to.Bytes);
        source.Write(values);
        executable.Bind(from, source);
        executable.Bind(to, destination);
        executable.Run(cancel);
        var result = new float[to.Shape.Count];
        destination.Read(result);
        return result;
    }
}
