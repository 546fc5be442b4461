using System.Collections.Concurrent;
using FramePainter.Graphs;
using FramePainter.Tensors;

namespace FramePainter.Conformance;

/// <summary>
/// What the oracle says of a case, and how far its outputs move when every input and weight moves by one unit in
/// relative terms: the yardstick of all tolerances (docs/numerics.md, "Tolerances of the conformance suite").
/// </summary>
internal sealed class Expectation
{
    const double Step = 1.0 / (1 << 18);
    const int Draws = 4;
    static readonly ConcurrentDictionary<string, Lazy<Expectation>> s_known = new(StringComparer.Ordinal);

    Expectation(BuiltCase built)
    {
        Built = built;
        var inputs = built.Inputs.ToDictionary(p => p.Key, p => Array.ConvertAll(p.Value, x => (double)x));
        var exact = Oracle.Run(built.Graph, inputs, built.Weights);
        Outputs = built.Graph.Outputs.ToDictionary(v => v, v => exact[v]);
        Sensitivity = Outputs.ToDictionary(p => p.Key, p => new double[p.Value.Length]);
        for (var draw = 0; draw < Draws; draw++)
        {
            var random = new Random(draw + 1);
            var moved = inputs.ToDictionary(p => p.Key, p => built.Exact.Contains(p.Key) ? p.Value : Array.ConvertAll(p.Value, x => x * Moved(random)));
            using var weights = Moved(built.Weights, random);
            var result = Oracle.Run(built.Graph, moved, weights);
            foreach (var (value, elements) in Outputs)
            {
                for (var i = 0; i < elements.Length; i++)
                {
                    var change = (result[value][i] - elements[i]) / Step;
                    Sensitivity[value][i] += change * change / Draws;
                }
            }
        }

        AddRoundingOfPhi(built, exact);
    }

    /// <summary>The case.</summary>
    public BuiltCase Built { get; }

    /// <summary>What the outputs must be.</summary>
    public IReadOnlyDictionary<Value, double[]> Outputs { get; }

    /// <summary>Per output element the mean square of its change, per unit of relative change of all inputs and weights.</summary>
    public IReadOnlyDictionary<Value, double[]> Sensitivity { get; }

    /// <summary>The expectation of a case, computed once.</summary>
    public static Expectation Of(string name) =>
        s_known.GetOrAdd(name, n => new Lazy<Expectation>(() => new Expectation(OpCases.All[n].Make()))).Value;

    /// <summary>
    /// GELU is x·Φ(x) with Φ rounded on the scale of 1, not of Φ itself: Φ = ½(1 + erf) loses its last places far below 0, as in
    /// every float32 network. Seen only where one op's whole output lies there; sums behind a product drown it.
    /// </summary>
    void AddRoundingOfPhi(BuiltCase built, Dictionary<Value, double[]> exact)
    {
        foreach (var op in built.Graph.Ops.OfType<ActivateOp>().Where(op => Sensitivity.ContainsKey(op.Output)))
        {
            var x = exact[op.Input];
            var channels = op.Output.Shape.Channels;
            for (var i = 0; i < Sensitivity[op.Output].Length; i++)
            {
                var (position, c) = Math.DivRem(i, channels);
                var scale = op.Activation switch
                {
                    Activation.Gelu => x[i],
                    Activation.Geglu => x[(2 * position * channels) + c] * x[(((2 * position) + 1) * channels) + c],
                    _ => 0,
                };
                Sensitivity[op.Output][i] += scale * scale;
            }
        }
    }

    static double Moved(Random random) => 1 + (Step * ((2 * random.NextDouble()) - 1));

    /// <summary>The same weights, each element moved a little.</summary>
    static MemoryWeights Moved(MemoryWeights weights, Random random)
    {
        var moved = new MemoryWeights();
        foreach (var name in weights.Names)
        {
            using var handle = weights.Open(name);
            moved.Add(name, DType.F32, handle.View.Shape, Array.ConvertAll(handle.View.ToArray(), x => (float)(x * Moved(random))));
        }

        return moved;
    }
}
