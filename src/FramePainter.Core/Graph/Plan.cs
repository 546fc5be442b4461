namespace FramePainter.Graphs;

/// <summary>A graph with a place for every value: inputs and outputs are bound from outside, everything else has an offset in one arena.</summary>
public sealed class Plan
{
    readonly Dictionary<Value, long> _offsets;

    internal Plan(Graph graph, Dictionary<Value, long> offsets, long arenaBytes)
    {
        Graph = graph;
        _offsets = offsets;
        ArenaBytes = arenaBytes;
    }

    /// <summary>The graph; ops run in its order.</summary>
    public Graph Graph { get; }

    /// <summary>Size of the arena.</summary>
    public long ArenaBytes { get; }

    /// <summary>Values of the arena with their byte offsets, multiples of 64.</summary>
    public IReadOnlyDictionary<Value, long> Offsets => _offsets;

    /// <summary>Whether a value is bound from outside.</summary>
    /// <param name="value">A value of the graph.</param>
    public bool IsExternal(Value value) => !_offsets.ContainsKey(value);
}
