using FramePainter.Graphs;

namespace FramePainter.Conformance;

/// <summary>Convolutions over time.</summary>
internal static class TemporalConvCases
{
    public static IEnumerable<OpCase> All
    {
        get
        {
            foreach (var (images, frames, height, width, inputs, outputs) in new[]
            {
                (4, 2, 3, 5, 9, 7), (2, 2, 1, 1, 1, 1), (1, 1, 3, 3, 4, 5), (3, 1, 2, 3, 17, 16), (3, 3, 2, 4, 6, 33), (6, 3, 3, 3, 16, 8),
                (6, 2, 2, 2, 67, 5), (4, 2, 8, 8, 64, 64), (2, 2, 13, 7, 130, 40), (4, 4, 2, 2, 5, 6), (2, 2, 16, 16, 320, 32),
            })
            {
                yield return Case($"{images} images of {frames} frames {height}x{width}x{inputs} to {outputs}", c =>
                    c.Graph.TemporalConv(c.Data(images, height, width, inputs), c.TemporalKernel(outputs, inputs), c.Random.Next(3) == 0 ? null : c.Vector(outputs), frames));
            }

            for (var i = 0; i < Epilogues.Count; i++)
            {
                var combination = i;
                yield return Case($"epilogue {Epilogues.Name(i)}", c =>
                {
                    var outputs = new[] { 16, 11, 6, 33 }[combination % 4] * (Epilogues.Halves(combination) ? 2 : 1);
                    var product = c.Graph.TemporalConv(c.Data(4, 2, 5, 6), c.TemporalKernel(outputs, 6), combination % 3 == 0 ? null : c.Vector(outputs), 2);
                    Epilogues.Add(c, product, combination);
                    return product;
                });
            }
        }
    }

    static OpCase Case(string name, Func<CaseBuilder, Value> build) =>
        new($"temporal conv {name}", typeof(TemporalConvOp), c => c.Graph.Output(build(c), "out"));
}
