using FramePainter.Graphs;

namespace FramePainter.Conformance;

/// <summary>Graphs of several ops, whose inner values share one arena.</summary>
internal static class CompositeCases
{
    public static IEnumerable<OpCase> All
    {
        get
        {
            yield return new OpCase("block", null, c => c.Graph.Output(Block(c, c.Data(4, 5, 6, 12), 12), "out"));
            yield return new OpCase("two blocks and a skip", null, c =>
            {
                var x = c.Data(2, 6, 4, 8);
                var inner = Block(c, x, 16);
                var joined = new Operand(inner, x);
                var y = c.Graph.Conv(joined, c.Kernel(9, 24, 3, 3), c.Vector(9), upsample: true);
                c.Graph.Output(y, "out");
                c.Graph.Output(inner, "inner");
            });
            yield return new OpCase("transformer", null, c =>
            {
                var x = c.Data(4, 3, 5, 24);
                var normal = c.Graph.LayerNorm(x, c.Vector(24, 1, 0.1), c.Vector(24), 1e-5f);
                var qkv = c.Graph.Linear(normal, c.Matrix(72, 24));
                var frame0 = c.Graph.Linear(normal, c.Matrix(48, 24), imageStride: 2);
                var query = c.Graph.Linear(normal, c.Matrix(24, 24));
                var both = c.Graph.Attention(
                    new Qkv(new(qkv), new(qkv, 24), new(qkv, 48)), 3, 8, new Qkv(new(query), new(frame0), new(frame0, 24)));
                var added = c.Graph.Add(c.Graph.Linear(both, c.Matrix(24, 48), c.Vector(24)), x);
                var wide = c.Graph.Activate(c.Graph.Linear(added, c.Matrix(96, 24), c.Vector(96)), Activation.Geglu);
                c.Graph.Output(c.Graph.Add(c.Graph.Linear(wide, c.Matrix(24, 48), c.Vector(24)), added), "out");
            });
        }
    }

    static Value Block(CaseBuilder c, Value x, int outputs)
    {
        var inputs = x.Shape.Channels;
        var h = c.Graph.Activate(c.Graph.GroupNorm(x, c.Vector(inputs, 1, 0.1), c.Vector(inputs), 4, 1e-5f), Activation.Silu);
        h = c.Graph.Conv(h, c.Kernel(outputs, inputs, 3, 3), c.Vector(outputs));
        h = c.Graph.AddRows(h, c.Data(2, outputs));
        h = c.Graph.TemporalConv(h, c.TemporalKernel(outputs, outputs), c.Vector(outputs), 2);
        var shortcut = c.Graph.Linear(x, c.Matrix(outputs, inputs), c.Vector(outputs));
        return c.Graph.Blend(h, c.Mix(), shortcut, c.Mix(inverse: true));
    }
}
