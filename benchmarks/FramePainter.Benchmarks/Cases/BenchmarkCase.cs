using FramePainter.Graphs;

namespace FramePainter.Benchmarks.Cases;

/// <summary>What a row of the table is about.</summary>
public enum CaseGroup
{
    /// <summary>Linear layers and attention projections.</summary>
    Linear,

    /// <summary>3×3 convolutions.</summary>
    Convolution,

    /// <summary>Attention products.</summary>
    Attention,

    /// <summary>Norms with their activation.</summary>
    Norm,

    /// <summary>Whole blocks of the network.</summary>
    Block,
}

/// <summary>A graph at a shape of the real network: what both engines run.</summary>
/// <param name="Name">For people and the command line.</param>
/// <param name="Group">What it is about.</param>
/// <param name="Quick">Whether the quick table has it.</param>
/// <param name="Write">Writes the graph down, as model code does.</param>
internal sealed record BenchmarkCase(string Name, CaseGroup Group, bool Quick, Action<GraphBuilder> Write)
{
    /// <summary>What the peer runs where that is another graph of the same result, as an exporter writes it; null for the same graph.</summary>
    public Action<GraphBuilder>? WriteExported { get; init; }

    /// <summary>Our graph, nothing fused.</summary>
    public Graph Graph() => Build(Write);

    /// <summary>The peer's graph.</summary>
    public Graph PeerGraph() => Build(WriteExported ?? Write);

    /// <inheritdoc/>
    public override string ToString() => Name;

    Graph Build(Action<GraphBuilder> write)
    {
        var g = new GraphBuilder();
        write(g);
        return g.Build(Name);
    }
}
