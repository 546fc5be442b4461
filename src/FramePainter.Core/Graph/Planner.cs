using FramePainter.Tensors;

namespace FramePainter.Graphs;

/// <summary>
/// Gives every inner value an offset in one arena, so that values which are alive together never overlap.
/// Largest first, each at the lowest offset that is free over its lifetime (greedy by size): within a few percent of the
/// lower bound on these graphs, and quick.
/// </summary>
internal static class Planner
{
    public static Plan Plan(Graph graph)
    {
        var external = new HashSet<Value>([.. graph.Inputs, .. graph.Outputs]);
        var first = new Dictionary<Value, int>();
        var last = new Dictionary<Value, int>();
        for (var i = 0; i < graph.Ops.Length; i++)
        {
            foreach (var value in graph.Ops[i].Outputs.Where(v => !external.Contains(v)))
            {
                first[value] = last[value] = i;
            }

            foreach (var value in graph.Ops[i].Inputs.Where(v => !external.Contains(v)))
            {
                if (!first.ContainsKey(value))
                {
                    throw new InvalidOperationException($"Op '{graph.Ops[i].Name}' of graph '{graph.Name}' reads {value} before it is written.");
                }

                last[value] = i;
            }
        }

        var offsets = new Dictionary<Value, long>();
        var placed = new List<(Value Value, long Offset, long End)>();
        long arena = 0;
        foreach (var value in first.Keys.OrderByDescending(v => v.Bytes).ThenBy(v => v.Id))
        {
            long offset = 0;
            foreach (var other in placed)
            {
                var together = first[value] <= last[other.Value] && first[other.Value] <= last[value];
                if (together && other.Offset < offset + Size(value) && offset < other.End)
                {
                    offset = other.End;
                }
            }

            offsets[value] = offset;
            var slot = (value, offset, offset + Size(value));
            var at = placed.FindIndex(p => p.Offset > offset);
            placed.Insert(at < 0 ? placed.Count : at, slot);
            arena = Math.Max(arena, offset + Size(value));
        }

        return new Plan(graph, offsets, arena);
    }

    static long Size(Value value) => (value.Bytes + NativeBuffer.Alignment - 1) / NativeBuffer.Alignment * NativeBuffer.Alignment;
}
