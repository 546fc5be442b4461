namespace FramePainter.Graphs;

/// <summary>
/// Cuts a graph in two: a prologue with everything that changes at most once an edit, and the step with the rest.
/// Values that the step reads from the prologue are outputs of the one and inputs of the other.
/// </summary>
internal static class Hoist
{
    public static (Graph Prologue, Graph Step) Split(Graph graph)
    {
        var prologue = graph.Ops.Where(op => op.Output.Rate == Rate.Edit).ToArray();
        var step = graph.Ops.Where(op => op.Output.Rate == Rate.Step).ToArray();
        var made = prologue.SelectMany(op => op.Outputs).ToHashSet();
        var read = step.SelectMany(op => op.Inputs).ToHashSet();
        var carried = made.Where(v => read.Contains(v) || graph.Outputs.Contains(v)).OrderBy(v => v.Id).ToArray();
        var early = prologue.SelectMany(op => op.Inputs).ToHashSet();
        return (
            new Graph($"{graph.Name} prologue", [.. graph.Inputs.Where(early.Contains)], [.. prologue], [.. carried]),
            new Graph($"{graph.Name} step", [.. graph.Inputs.Where(read.Contains), .. carried.Where(read.Contains)], [.. step], [.. graph.Outputs.Where(v => !made.Contains(v))]));
    }
}
