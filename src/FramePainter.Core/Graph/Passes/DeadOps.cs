namespace FramePainter.Graphs;

/// <summary>Drops ops whose outputs nobody reads.</summary>
internal static class DeadOps
{
    public static Graph Remove(Graph graph)
    {
        var wanted = new HashSet<Value>(graph.Outputs);
        var kept = new List<Op>();
        foreach (var op in graph.Ops.Reverse())
        {
            if (op.Outputs.Any(wanted.Contains))
            {
                kept.Add(op);
                wanted.UnionWith(op.Inputs);
            }
        }

        kept.Reverse();
        return graph with { Ops = [.. kept] };
    }
}
