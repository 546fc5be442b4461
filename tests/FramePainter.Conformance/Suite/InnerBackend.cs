using FramePainter.Backends;
using FramePainter.Graphs;
using FramePainter.Tensors;

namespace FramePainter.Conformance;

/// <summary>
/// A backend that copies every input into a plan before any op reads it, and every output out: ops then read and write halves,
/// as they do in the middle of a network.
/// </summary>
internal sealed class InnerBackend(IBackend backend) : IBackend
{
    /// <summary>Whether float16 holds a case's numbers: those beyond its range become infinite, and those far below it zero; no network's values are there.</summary>
    public static bool InRange(BuiltCase built) => built.Case.Adversity is not (Adversity.Huge or Adversity.Tiny) && !built.Case.RowByRow;

    public string Description => backend.Description;

    public IWeightStore CreateStore(IWeightSource source) => backend.CreateStore(source);

    public IDeviceBuffer Allocate(long bytes) => backend.Allocate(bytes);

    public IExecutable Compile(Plan plan, IWeightStore weights) => backend.Compile(Planner.Plan(Move(plan.Graph)), weights);

    public void Dispose() => backend.Dispose();

    static Graph Move(Graph graph)
    {
        var next = graph.Inputs.Concat(graph.Ops.SelectMany(op => op.Outputs)).Max(v => v.Id) + 1;
        var inner = graph.Inputs.Concat(graph.Outputs).Where(v => v.Shape.Rank > 2).ToDictionary(v => v, v => new Value(next++, $"inner {v.Name}", v.Shape, v.Rate));
        static ActivateOp Copy(Value from, Value to) => new() { Name = "copy", Input = from, Outputs = [to], Activation = Activation.None };
        return graph with
        {
            Ops =
            [
                .. graph.Inputs.Where(inner.ContainsKey).Select(v => Copy(v, inner[v])),
                .. graph.Ops.Select(op => Rewriter.Replace(op, v => inner.GetValueOrDefault(v, v))),
                .. graph.Outputs.Where(inner.ContainsKey).Select(v => Copy(inner[v], v)),
            ],
        };
    }
}
