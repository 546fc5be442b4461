using FramePainter.Graphs;

namespace FramePainter.Conformance;

/// <summary>Pooling and alignment of control features.</summary>
internal static class ControlCases
{
    public static IEnumerable<OpCase> All => Pools.Concat(Aligns);

    static IEnumerable<OpCase> Pools
    {
        get
        {
            foreach (var (images, height, width, channels, pooledHeight, pooledWidth) in new[]
            {
                (2, 7, 9, 5, 3, 4), (2, 8, 8, 16, 4, 4), (1, 5, 5, 3, 5, 5), (1, 1, 2, 1, 1, 1), (3, 3, 2, 7, 5, 4), (1, 10, 13, 33, 1, 1), (2, 16, 16, 64, 7, 5), (1, 64, 48, 20, 9, 11),
            })
            {
                foreach (var mean in new[] { 0, 50 })
                {
                    yield return new OpCase($"control pool {images}x{height}x{width}x{channels} to {pooledHeight}x{pooledWidth} mean {mean}", typeof(ControlPoolOp), c =>
                    {
                        c.Graph.Output(c.Graph.ControlPool(c.Spread(mean, 1, images, height, width, channels), pooledHeight, pooledWidth), "pooled");
                    });
                }
            }
        }
    }

    static IEnumerable<OpCase> Aligns
    {
        get
        {
            foreach (var (images, controlled, height, width, channels, mean) in new[]
            {
                (4, 2, 3, 5, 7, 0), (2, 2, 4, 4, 16, 0), (4, 4, 1, 2, 3, 0), (1, 1, 1, 2, 1, 0), (3, 1, 5, 7, 33, 0), (4, 2, 8, 9, 64, 100), (6, 3, 2, 2, 67, -20),
            })
            {
                yield return new OpCase($"control align {controlled} of {images} {height}x{width}x{channels} mean {mean}", typeof(ControlAlignOp), c =>
                {
                    var x = c.Spread(mean, 2, images, height, width, channels);
                    var pooled = c.Spread(0.3, 0.7, controlled, height, width, channels);
                    var scales = c.Input([.. Enumerable.Range(0, controlled).Select(i => 1f - (0.3f * i))], controlled, 1);
                    c.Graph.Output(c.Graph.ControlAlign(x, pooled, scales), "out");
                });
            }

            yield return new OpCase("control align scale 0", typeof(ControlAlignOp), c => c.Graph.Output(
                c.Graph.ControlAlign(c.Data(2, 3, 3, 5), c.Data(2, 3, 3, 5), c.Input([0, 1], 2)), "out"));
            yield return new OpCase("control align flat features", typeof(ControlAlignOp), c => c.Graph.Output(
                c.Graph.ControlAlign(c.Data(2, 3, 3, 5), c.Input([.. Enumerable.Repeat(0.5f, 90)], 2, 3, 3, 5), c.Input([1, 1], 1, 2)), "out"));
        }
    }
}
