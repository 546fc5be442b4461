using FramePainter.Backends.Cpu;
using FramePainter.Benchmarks.Engines;
using FramePainter.Graphs;

namespace FramePainter.Benchmarks.Cases;

/// <summary>The part of a graph that runs in every step, with all its inputs: neither engine is timed for what does not depend on the step.</summary>
/// <param name="Step">The part, nothing fused.</param>
/// <param name="Inputs">A value for each input: random by its name, or computed once by the rest of the graph.</param>
internal sealed record PreparedGraph(Graph Step, IReadOnlyDictionary<Value, float[]> Inputs)
{
    public static PreparedGraph Of(Graph graph, RandomWeights weights)
    {
        var (prologue, step) = Hoist.Split(graph);
        var inputs = graph.Inputs.ToDictionary(v => v, Random);
        if (prologue.Ops.Length > 0)
        {
            using var engine = new CpuEngine(new PreparedGraph(prologue, inputs), weights, new CpuBackend(1));
            engine.Run();
            foreach (var output in prologue.Outputs)
            {
                inputs[output] = engine.Read(output);
            }
        }

        return new PreparedGraph(step, inputs);
    }

    /// <summary>The same numbers for the same name and size, in whatever graph.</summary>
    static float[] Random(Value input)
    {
        var random = new Random(input.Name.Length + (int)(input.Shape.Count % 9973));
        var values = new float[input.Shape.Count];
        foreach (ref var value in values.AsSpan())
        {
            value = (2 * random.NextSingle()) - 1;
        }

        return values;
    }
}
