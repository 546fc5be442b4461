using FramePainter.Graphs;

namespace FramePainter.Conformance;

/// <summary>Sinusoids, rows picked from tables, CLIP's tokens.</summary>
internal static class EmbeddingCases
{
    public static IEnumerable<OpCase> All => Sinusoids.Concat(Selections).Concat(Tokens);

    static IEnumerable<OpCase> Sinusoids
    {
        get
        {
            foreach (var (count, dim, rows) in new[] { (1, 320, 1), (3, 8, 1), (6, 2, 2), (2, 6, 2), (25, 32, 25), (1, 256, 1) })
            {
                yield return new OpCase($"sinusoid {count} of {dim} in {rows} rows", typeof(SinusoidOp), c => c.Graph.Output(
                    c.Graph.Sinusoid(c.Input([.. Enumerable.Range(0, count).Select(i => (float)(c.Random.NextDouble() * (i % 2 == 0 ? 2 : 1000)))], count, 1), dim, rows), "out"));
            }

            yield return new OpCase("sinusoid of whole and negative numbers", typeof(SinusoidOp), c =>
                c.Graph.Output(c.Graph.Sinusoid(c.Input([0, 1, 7, 127, -1.63777f, 999], 1, 6), 64, 1), "out"));
        }
    }

    static IEnumerable<OpCase> Selections
    {
        get
        {
            foreach (var (rows, channels) in new[] { (25, 320), (1, 1), (4, 33), (2, 64) })
            {
                foreach (var row in new[] { 0, rows - 1 }.Distinct())
                {
                    yield return new OpCase($"row {row} of {rows}x{channels}", typeof(SelectRowOp), c =>
                        c.Graph.Output(c.Graph.SelectRow(c.Data(rows, channels), row), "out"));
                    yield return new OpCase($"row {row} of {rows}x{channels} by index", typeof(SelectRowOp), c =>
                        c.Graph.Output(c.Graph.SelectRow(c.Data(rows, channels), c.Index(row)), "out"));
                }
            }

            // A step picks rows of dozens of tables by one number, and of others by another.
            yield return new OpCase("rows of 70 tables by index, added", typeof(SelectRowOp), c =>
            {
                var (x, index, other) = (c.Data(2, 3, 5, 24), c.Index(2), c.Index(0));
                for (var i = 0; i < 70; i++)
                {
                    c.Graph.Output(c.Graph.AddRows(x, c.Graph.SelectRow(c.Data(3, 24), i % 23 == 7 ? other : index)), $"out{i}");
                }
            });

            yield return new OpCase("row of tokens", typeof(SelectRowOp), c => c.Graph.Output(c.Graph.SelectRow(c.Data(2, 5, 17), 7), "out"));
        }
    }

    static IEnumerable<OpCase> Tokens
    {
        get
        {
            foreach (var (images, height, width, channels) in new[] { (1, 3, 3, 10), (2, 1, 1, 1), (1, 2, 5, 33), (3, 4, 4, 64) })
            {
                yield return new OpCase($"class token {images}x{height}x{width}x{channels}", typeof(ClassTokenOp), c =>
                {
                    var tokens = (height * width) + 1;
                    var positions = WeightVector.Of(c.Tensor(0, 1, tokens, channels), tokens * channels);
                    c.Graph.Output(c.Graph.ClassToken(c.Data(images, height, width, channels), c.Vector(channels), positions), "out");
                });
            }
        }
    }
}
