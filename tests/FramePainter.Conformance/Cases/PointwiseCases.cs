using FramePainter.Graphs;

namespace FramePainter.Conformance;

/// <summary>Activations, blends, rows, scales, guidance.</summary>
internal static class PointwiseCases
{
    static readonly long[][] s_shapes = [[2, 3, 5, 14], [1, 1, 2], [1, 2], [3, 7, 16], [6, 1, 1, 34], [1, 1031, 66], [4, 17, 130]];

    public static IEnumerable<OpCase> All =>
        Activations.Concat(Blends).Concat(Rows).Concat(Tokens).Concat(Scales).Concat(Halves).Concat(Steps);

    static IEnumerable<OpCase> Activations
    {
        get
        {
            foreach (var activation in Enum.GetValues<Activation>())
            {
                foreach (var shape in s_shapes)
                {
                    foreach (var deviation in new[] { 1, 8 })
                    {
                        yield return Case<ActivateOp>($"{activation} of {Name(shape)} times {deviation}", c => c.Graph.Activate(c.Spread(0, deviation, shape), activation));
                    }
                }
            }
        }
    }

    static IEnumerable<OpCase> Blends
    {
        get
        {
            foreach (var shape in s_shapes)
            {
                yield return Case<BlendOp>($"sum of {Name(shape)}", c => c.Graph.Add(c.Data(shape), c.Data(shape)));
                yield return Case<BlendOp>($"blend of {Name(shape)}", c =>
                {
                    var mix = c.Tensor(0, 1, 1);
                    return c.Graph.Blend(c.Data(shape), MixScale.Alpha(mix), c.Data(shape), MixScale.OneMinusAlpha(mix));
                });
            }

            yield return Case<BlendOp>("constants", c => c.Graph.Blend(c.Data(2, 5, 9), new MixScale(0.18215f), c.Data(2, 5, 9), new MixScale(-2)));
            yield return Case<BlendOp>("of a value with itself", c =>
            {
                var x = c.Data(2, 5, 9);
                return c.Graph.Blend(x, MixScale.One, x, new MixScale(0.5f));
            });
        }
    }

    static IEnumerable<OpCase> Rows
    {
        get
        {
            foreach (var (order, rows, images) in new[]
            {
                (RowOrder.ByRun, 1, 4), (RowOrder.ByRun, 2, 4), (RowOrder.ByFrame, 2, 4), (RowOrder.ByRun, 6, 6), (RowOrder.ByFrame, 3, 6), (RowOrder.ByRun, 3, 6), (RowOrder.ByRun, 1, 1),
            })
            {
                foreach (var channels in new[] { 1, 19, 64 })
                {
                    yield return Case<AddRowsOp>($"{rows} {order} on {images} of {channels}", c => c.Graph.AddRows(c.Data(images, 3, 5, channels), c.Data(rows, channels), order));
                }
            }
        }
    }

    static IEnumerable<OpCase> Tokens
    {
        get
        {
            foreach (var (images, frames, height, width, channels, points) in new[]
            {
                (4, 2, 3, 5, 7, 3), (2, 2, 8, 8, 16, 32), (4, 2, 9, 13, 33, 5), (2, 2, 1, 1, 1, 2), (3, 3, 4, 6, 64, 4), (6, 3, 5, 7, 19, 9), (2, 1, 3, 3, 5, 2), (4, 2, 72, 128, 8, 16),
            })
            {
                yield return Case<AddTokensOp>($"{points} points on {images}x{height}x{width}x{channels} of {frames}", c => c.Graph.AddTokens(
                    c.Data(images, height, width, channels), c.Exact([.. Enumerable.Range(0, points * 4).Select(_ => c.Random.NextSingle())], points, 4), frames));
            }

            yield return Case<AddTokensOp>("two on one target, one padded, one at the far corner, one past it", c => c.Graph.AddTokens(
                c.Data(4, 3, 5, 9),
                c.Exact([0.1f, 0.1f, 0.5f, 0.5f, 0.9f, 0.1f, 0.5f, 0.5f, -1, -1, -1, -1, 0.9999999f, 1, 0, 0, 1e9f, float.PositiveInfinity, 0.3f, 0.7f, 0.5f, float.NaN, 0.5f, 0.5f], 6, 4), 2));
            yield return Case<AddTokensOp>("all padding", c => c.Graph.AddTokens(c.Data(4, 3, 5, 9), c.Exact([.. Enumerable.Repeat(-1f, 12)], 3, 4), 2));
        }
    }

    static IEnumerable<OpCase> Scales
    {
        get
        {
            foreach (var shape in s_shapes)
            {
                yield return Case<ScaleOp>(Name(shape), c => c.Graph.Scale(c.Data(shape), c.Input(RandomData.Normals(c.Random, 4), 1, 4), c.Random.Next(4)));
            }
        }
    }

    static IEnumerable<OpCase> Halves
    {
        get
        {
            foreach (var halves in new[] { 1, 2 })
            {
                foreach (var (frames, height, width, channels) in new[] { (2, 3, 5, 7), (1, 1, 1, 1), (3, 4, 4, 32), (2, 9, 13, 33) })
                {
                    yield return Case<JoinHalvesOp>($"{halves} of {frames}x{height}x{width}x{channels}", c =>
                        c.Graph.JoinHalves(c.Data(frames, height, width, channels), c.Data(1, height, width, channels), halves));
                }
            }
        }
    }

    static IEnumerable<OpCase> Steps
    {
        get
        {
            foreach (var (name, halves, frames, height, width, sigma, next) in new[]
            {
                ("3x5 guided", 2, 2, 3, 5, 7.3f, 2.1f), ("3x5", 1, 2, 3, 5, 700f, 311f), ("1x1", 2, 1, 1, 1, 0.8f, 0.002f), ("to the end", 2, 2, 9, 7, 0.002f, 0f), ("one half to the end", 1, 2, 16, 17, 0.05f, 0f),
            })
            {
                yield return new OpCase($"euler {name}", typeof(EulerOp), c =>
                {
                    float[] scalars = [sigma, next, 3.5f, (float)(1 / Math.Sqrt(((double)sigma * sigma) + 1))];
                    c.Graph.Output(c.Graph.Euler(c.Data(halves * frames, height, width, 4), c.Spread(0, Math.Max(sigma, 1), frames, height, width, 4), c.Input(scalars, 1, 4)), "out");
                });
            }
        }
    }

    static string Name(long[] shape) => string.Join('x', shape);

    static OpCase Case<T>(string name, Func<CaseBuilder, Value> build)
        where T : Op => new($"{typeof(T).Name} {name}", typeof(T), c => c.Graph.Output(build(c), "out"));
}
