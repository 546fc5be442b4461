using FramePainter.Graphs;

namespace FramePainter.Conformance;

/// <summary>What is done to the data of a case before it runs.</summary>
internal enum Adversity
{
    /// <summary>Nothing: normally distributed numbers.</summary>
    None,

    /// <summary>One element of one input is NaN.</summary>
    NaN,

    /// <summary>Everything times 1e8.</summary>
    Huge,

    /// <summary>Everything times 1e-12.</summary>
    Tiny,

    /// <summary>All zeros.</summary>
    Zero,
}

/// <summary>One graph, mostly of a single op, with data: what every backend must compute like the oracle.</summary>
/// <param name="Name">Unique; its hash seeds the data.</param>
/// <param name="Op">The kind of op it is about; null for graphs of several.</param>
/// <param name="Build">Writes the graph and its data down.</param>
internal sealed record OpCase(string Name, Type? Op, Action<CaseBuilder> Build)
{
    /// <summary>What is done to the data.</summary>
    public Adversity Adversity { get; init; }

    /// <summary>Compare row by row too: rows differ so much in size that the whole would hide a small one.</summary>
    public bool RowByRow { get; init; }

    /// <summary>The same case with its data spoiled.</summary>
    public OpCase With(Adversity adversity) => this with { Name = $"{Name} {adversity}", Adversity = adversity };

    /// <summary>The graph and its data; the same at every call.</summary>
    public BuiltCase Make()
    {
        var builder = new CaseBuilder(new Random(StableHash(Name)), Adversity, new MemoryWeights());
        Build(builder);
        return builder.Finish(this);
    }

    static int StableHash(string text)
    {
        var hash = 2166136261;
        foreach (var letter in text)
        {
            hash = (hash ^ letter) * 16777619;
        }

        return (int)hash;
    }
}

/// <summary>A case made ready.</summary>
/// <param name="Case">Where it comes from.</param>
/// <param name="Graph">The graph.</param>
/// <param name="Inputs">Elements of all inputs.</param>
/// <param name="Exact">Inputs that are whole numbers (indices) and stay as they are.</param>
/// <param name="Weights">Its weights.</param>
internal sealed record BuiltCase(
    OpCase Case, Graph Graph, IReadOnlyDictionary<Value, float[]> Inputs, IReadOnlySet<Value> Exact, MemoryWeights Weights)
{
    /// <summary>Terms of the longest sum behind one output: what rounding errors of an accumulation grow with.</summary>
    public double Terms => Graph.Ops.Sum(TermsOf);

    static double TermsOf(Op op) => op switch
    {
        ProductOp o => (double)o.Weight.Taps * o.Weight.Inputs,
        GroupNormOp o => (double)o.Input.Channels / o.Groups * o.Output.Shape.Tokens * o.Frames,
        LayerNormOp o => o.Output.Shape.Channels,
        AttentionOp o => o.HeadDim + Math.Max(o.Self.Key.Value.Shape.Tokens, o.Matching?.Key.Value.Shape.Tokens ?? 0),
        AttentionProbabilitiesOp o => o.HeadDim + o.Key.Value.Shape.Tokens,
        TemporalAttentionOp o => o.HeadDim + 2,
        ControlPoolOp o => o.Input.Shape.Count / o.Input.Shape.Images,
        ControlAlignOp o => o.Input.Shape.Count / o.Input.Shape.Images,
        _ => 1,
    };
}
