using FramePainter.Graphs;

namespace FramePainter.Conformance;

/// <summary>Group and layer normalisation.</summary>
internal static class NormCases
{
    static readonly Activation[] s_activations = [Activation.None, Activation.Silu, Activation.Gelu, Activation.QuickGelu, Activation.Relu];

    public static IEnumerable<OpCase> All => GroupNorms.Concat(LayerNorms);

    static IEnumerable<OpCase> GroupNorms
    {
        get
        {
            foreach (var (images, height, width, channels, groups, frames) in new[]
            {
                (2, 3, 5, 12, 4, 1), (4, 3, 3, 12, 3, 2), (1, 1, 1, 2, 1, 1), (1, 1, 1, 8, 4, 1), (3, 2, 7, 67, 1, 3), (6, 2, 2, 33, 11, 3), (2, 5, 5, 64, 32, 2),
                (1, 9, 1, 32, 32, 1), (2, 16, 16, 40, 8, 1), (4, 7, 9, 320, 32, 2), (1, 31, 29, 96, 32, 1), (5, 1, 3, 21, 7, 5),
                (2, 7, 19, 320, 32, 1), (2, 3, 11, 640, 32, 2), (1, 5, 5, 1280, 32, 1), (1, 3, 5, 2560, 32, 1), (2, 3, 5, 328, 8, 1), (1, 2, 2, 2568, 8, 1), (2, 9, 5, 320, 1, 1),
            })
            {
                foreach (var activation in new[] { Activation.None, Activation.Silu })
                {
                    yield return Group($"{images}x{height}x{width}x{channels} in {groups} groups, {frames} frames, {activation}", groups, frames, activation, c => c.Data(images, height, width, channels));
                }
            }

            foreach (var activation in s_activations)
            {
                yield return Group($"then {activation}", 3, 1, activation, c => c.Data(2, 4, 5, 9));
            }

            foreach (var (first, second, groups) in new[] { (5, 7, 3), (1, 1, 1), (16, 8, 4), (30, 34, 32), (1, 63, 8), (33, 3, 2), (320, 640, 32), (24, 8, 4), (32, 4, 4) })
            {
                yield return Group($"seam {first}+{second} in {groups} groups", groups, 1, Activation.Silu, c => new Operand(c.Data(2, 3, 4, first), c.Data(2, 3, 4, second)));
                yield return Group($"seam {first}+{second} in {groups} groups over frames", groups, 2, Activation.None, c => new Operand(c.Data(4, 3, 4, first), c.Data(4, 3, 4, second)));
            }

            foreach (var mean in new[] { 100, -1000, 10000 })
            {
                yield return Group($"mean {mean}", 4, 2, Activation.None, c => c.Spread(mean, 1, 4, 16, 15, 24));
                yield return Group($"mean {mean} of 320 channels", 32, 1, Activation.None, c => c.Spread(mean, 1, 2, 9, 11, 320));
                yield return Group($"mean {mean} seam", 4, 1, Activation.None, c => new Operand(c.Spread(mean, 1, 2, 8, 9, 10), c.Spread(mean, 1, 2, 8, 9, 14)));
            }

            yield return Group("first position far from the rest", 4, 1, Activation.None, c =>
            {
                var elements = RandomData.Normals(c.Random, 70 * 16);
                for (var i = 0; i < 16; i++)
                {
                    elements[i] += 3000;
                }

                return c.Input(elements, 1, 7, 10, 16);
            });
            yield return Group("tokens", 4, 1, Activation.None, c => c.Data(3, 11, 20));
        }
    }

    static IEnumerable<OpCase> LayerNorms
    {
        get
        {
            foreach (var (images, tokens, channels) in new[]
            {
                (2, 5, 13), (1, 1, 1), (3, 4, 2), (2, 3, 3), (1, 7, 8), (1, 9, 15), (2, 2, 16), (1, 5, 17), (6, 1, 31), (1, 33, 64), (2, 3, 67), (1, 10, 320), (2, 3, 1280),
                (1, 131, 320), (2, 29, 640), (1, 27, 1280), (1, 3, 960),
            })
            {
                yield return Layer($"{images}x{tokens}x{channels}", null, c => c.Data(images, tokens, channels));
            }

            foreach (var (order, rows) in new[] { (RowOrder.ByRun, 1), (RowOrder.ByRun, 2), (RowOrder.ByRun, 6), (RowOrder.ByFrame, 1), (RowOrder.ByFrame, 2), (RowOrder.ByFrame, 6) })
            {
                yield return Layer($"with {rows} rows {order}", (order, rows), c => c.Data(6, 2, 3, 19));
                yield return Layer($"of 320 channels with {rows} rows {order}", (order, rows), c => c.Data(6, 11, 320));
            }

            foreach (var mean in new[] { 100, -1000, 10000 })
            {
                yield return Layer($"mean {mean}", null, c => c.Spread(mean, 1, 2, 6, 65));
                yield return Layer($"mean {mean} of 640 channels", null, c => c.Spread(mean, 1, 2, 3, 640));
            }

            yield return Layer("a table of rows", null, c => c.Data(4, 10));
            yield return Layer("rows of unlike size", null, c =>
            {
                var elements = RandomData.Normals(c.Random, 12 * 24);
                for (var i = 0; i < elements.Length; i++)
                {
                    elements[i] *= i / 24 % 2 == 0 ? 1e6f : 1e-6f;
                }

                return c.Input(elements, 2, 6, 24);
            }) with { RowByRow = true };
        }
    }

    static OpCase Group(string name, int groups, int frames, Activation activation, Func<CaseBuilder, Operand> input) =>
        new($"group norm {name}", typeof(GroupNormOp), c =>
        {
            var x = input(c);
            c.Graph.Output(c.Graph.GroupNorm(x, c.Vector(x.Channels, 1, 0.3), c.Vector(x.Channels), groups, frames == 1 ? 1e-5f : 1e-6f, frames), "out");
            c.Change(op => (GroupNormOp)op with { Activation = activation });
        });

    static OpCase Layer(string name, (RowOrder Order, int Rows)? rows, Func<CaseBuilder, Value> input) =>
        new($"layer norm {name}", typeof(LayerNormOp), c =>
        {
            var x = input(c);
            var channels = x.Shape.Channels;
            c.Graph.Output(c.Graph.LayerNorm(x, c.Vector(channels, 1, 0.3), c.Vector(channels), 1e-5f), "out");
            if (rows is { } r)
            {
                var table = new RowTable(c.Data(r.Rows, channels), r.Order);
                c.Change(op => (LayerNormOp)op with { Rows = table });
            }
        });
}
