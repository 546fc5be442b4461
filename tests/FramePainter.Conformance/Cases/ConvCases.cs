using FramePainter.Graphs;

namespace FramePainter.Conformance;

/// <summary>Two-dimensional convolutions.</summary>
internal static class ConvCases
{
    static readonly (int Images, int Height, int Width, int Inputs, int Outputs)[] s_sizes =
    [
        (2, 5, 7, 6, 9), (1, 1, 1, 1, 1), (1, 1, 9, 3, 5), (1, 8, 1, 4, 2), (3, 2, 2, 17, 16), (1, 6, 6, 16, 33), (2, 3, 13, 31, 8),
        (1, 9, 9, 4, 67), (6, 4, 4, 8, 8), (1, 16, 16, 64, 48), (2, 8, 8, 130, 65), (1, 7, 11, 320, 20), (1, 33, 35, 3, 32), (1, 12, 10, 64, 3), (3, 9, 14, 96, 80), (1, 20, 21, 336, 64),
    ];

    static readonly (int KernelHeight, int KernelWidth, int Stride, Padding Padding)[] s_shapes =
    [
        (1, 1, 1, Padding.Same(0)), (1, 1, 2, Padding.Same(0)), (3, 3, 2, Padding.Same(1)), (3, 3, 2, new Padding(0, 0, 1, 1)), (3, 3, 1, Padding.Same(0)),
        (3, 3, 3, Padding.Same(1)), (5, 3, 1, new Padding(2, 1, 2, 1)), (5, 3, 2, new Padding(2, 0, 1, 3)), (2, 2, 2, Padding.Same(0)),
        (3, 3, 1, new Padding(2, 2, 2, 2)), (3, 3, 1, new Padding(1, 0, 0, 2)), (1, 1, 1, Padding.Same(1)), (14, 14, 14, Padding.Same(0)), (1, 7, 1, new Padding(0, 3, 0, 3)),
        (11, 11, 4, Padding.Same(2)), (4, 4, 2, Padding.Same(1)),
    ];

    public static IEnumerable<OpCase> All
    {
        get
        {
            foreach (var (images, height, width, inputs, outputs) in s_sizes)
            {
                yield return Case($"{images}x{height}x{width}x{inputs} to {outputs}", c =>
                    c.Graph.Conv(c.Data(images, height, width, inputs), c.Kernel(outputs, inputs, 3, 3), c.Random.Next(3) == 0 ? null : c.Vector(outputs)));
            }

            foreach (var (height, width, stride, padding) in s_shapes)
            {
                foreach (var channels in new[] { 3, 18 })
                {
                    // Sizes that the stride does not divide, and the smallest that the kernel fits.
                    var (pictureHeight, pictureWidth) = (height + (2 * stride) + 1, width + (3 * stride));
                    yield return Case($"{height}x{width} stride {stride} {Sides(padding)} of {channels}", c =>
                        c.Graph.Conv(c.Data(2, pictureHeight, pictureWidth, channels), c.Kernel(11, channels, height, width), c.Vector(11), stride, padding, kernel: (height, width)));
                }

                yield return Case($"{height}x{width} stride {stride} {Sides(padding)} just fitting", c =>
                    c.Graph.Conv(c.Data(1, height, width, 5), c.Kernel(4, 5, height, width), c.Vector(4), stride, padding, kernel: (height, width)));
            }

            foreach (var (height, width, inputs, outputs) in new[] { (1, 1, 3, 4), (3, 5, 7, 9), (4, 4, 32, 17), (6, 3, 65, 16), (8, 8, 40, 40), (5, 3, 80, 64) })
            {
                yield return Case($"upsampled {height}x{width}x{inputs} to {outputs}", c =>
                    c.Graph.Conv(c.Data(2, height, width, inputs), c.Kernel(outputs, inputs, 3, 3), c.Vector(outputs), upsample: true));
            }

            foreach (var (first, second) in new[] { (1, 1), (4, 4), (7, 10), (32, 16), (33, 31), (3, 64), (64, 32), (304, 48) })
            {
                yield return Case($"concatenated {first}+{second}", c => c.Graph.Conv(
                    new Operand(c.Data(2, 5, 6, first), c.Data(2, 5, 6, second)), c.Kernel(18, first + second, 3, 3), c.Vector(18)));
            }

            yield return Case("concatenated, upsampled, strided", c => c.Graph.Conv(
                new Operand(c.Data(1, 4, 5, 6), c.Data(1, 4, 5, 3)), c.Kernel(7, 9, 3, 3), c.Vector(7), 2, new Padding(0, 1, 1, 0), upsample: true));
            yield return Case("a slice of inputs", c => c.Graph.Conv(
                c.Data(2, 6, 5, 4), new WeightMatrix { Tensors = [c.Tensor(0, 0.2, 10, 8, 3, 3)], Outputs = 10, Inputs = 4, FirstInput = 4, Taps = 9 }, c.Vector(10)));
            yield return Case("a slice of outputs", c => c.Graph.Conv(
                c.Data(2, 6, 5, 4), new WeightMatrix { Tensors = [c.Tensor(0, 0.2, 10, 4, 3, 3)], Outputs = 3, Inputs = 4, FirstOutput = 6, Taps = 9 }));

            for (var i = 0; i < Epilogues.Count; i++)
            {
                var combination = i;
                yield return Case($"epilogue {Epilogues.Name(i)}", c =>
                {
                    var outputs = new[] { 18, 7, 16, 33 }[combination % 4] * (Epilogues.Halves(combination) ? 2 : 1);
                    var product = c.Graph.Conv(c.Data(4, 3, 5, 6), c.Kernel(outputs, 6, 3, 3), combination % 3 == 0 ? null : c.Vector(outputs));
                    Epilogues.Add(c, product, combination);
                    return product;
                });
            }
        }
    }

    static string Sides(Padding p) => $"{p.Top},{p.Left},{p.Bottom},{p.Right}";

    static OpCase Case(string name, Func<CaseBuilder, Value> build) =>
        new($"conv {name}", typeof(ConvOp), c => c.Graph.Output(build(c), "out"));
}
