using System.Collections.Immutable;
using FramePainter.Backends.Cpu.Simd;
using FramePainter.Graphs;
using FramePainter.Tensors;

namespace FramePainter.Tests.Backends;

public sealed class ProductKernelTests
{
    public static TheoryData<string> Paths => [.. Enum.GetValues<InstructionPath>().Where(InstructionPaths.IsSupported).Select(p => p.ToString())];

    static InstructionPath PathOf(string name) => Enum.Parse<InstructionPath>(name);

    static void Close(double[] expected, float[] actual, double scale)
    {
        Assert.Equal(expected.Length, actual.Length);
        for (var i = 0; i < expected.Length; i++)
        {
            var bound = 2e-6 * (scale + Math.Abs(expected[i]));
            Assert.True(Math.Abs(expected[i] - actual[i]) <= bound, $"element {i}: expected {expected[i]:R}, found {actual[i]:R}, bound {bound:R}");
        }
    }

    static void Check(ProductCase test, ProductOp op, string path, float[] weight, float[]? bias, Func<int, int, double> input)
    {
        var actual = test.Run(op, PathOf(path), 1);
        Close(test.Expect(op, weight, bias, input), actual, Math.Sqrt(op.Weight.Inputs * op.Weight.Taps));
        Assert.Equal(actual, test.Run(op, PathOf(path), 2));
        Assert.Equal(actual, test.Run(op, PathOf(path), 3));
    }

    static string[] AllPaths => [.. Paths.Select(p => p.Data)];

    static LinearOp Linear(ProductCase test, Operand input, int outputs, DType type, out float[] weight, out float[] bias, int stride = 1, Activation activation = Activation.None)
    {
        weight = test.Weights.Add("w", type, test.Random(outputs * input.Channels), outputs, input.Channels);
        bias = test.Weights.Add("b", DType.F32, test.Random(outputs), outputs);
        var shape = input.Shape.WithChannels(activation == Activation.Geglu ? outputs / 2 : outputs).WithImages(input.Shape.Images / stride);
        return new LinearOp
        {
            Name = "linear", Outputs = [test.Value([.. shape.Extents])], Input = input, ImageStride = stride,
            Weight = WeightMatrix.Of("w", outputs, input.Channels), Bias = WeightVector.Of("b", outputs),
            Epilogue = Epilogue.None with { Activation = activation },
        };
    }

    [Theory]
    [MemberData(nameof(Paths))]
    public void Linear_agrees_with_plain_loops(string path)
    {
        var sizes = new (int Images, int Tokens, int Inputs, int Outputs)[]
        {
            (1, 1, 1, 1), (1, 1, 640, 33), (2, 7, 3, 5), (1, 13, 17, 31), (1, 29, 320, 64), (2, 15, 321, 47), (1, 253, 40, 96), (4, 130, 33, 100), (1, 60, 700, 70),
        };
        foreach (var (images, tokens, inputs, outputs) in sizes)
        {
            foreach (var type in new[] { DType.F32, DType.F16, DType.BF16 })
            {
                using var test = new ProductCase(images + tokens + inputs + outputs);
                var input = new Operand(test.Value(images, tokens, inputs));
                var op = Linear(test, input, outputs, type, out var weight, out var bias);
                Check(test, op, path, weight, bias, (row, k) => test.At(input, row, k));
            }
        }
    }

    [Theory]
    [MemberData(nameof(Paths))]
    public void Linear_reads_two_inputs_and_every_other_image(string path)
    {
        using var test = new ProductCase(5);
        var input = new Operand(test.Value(4, 9, 200), test.Value(4, 9, 133));
        var op = Linear(test, input, 37, DType.F16, out var weight, out var bias, stride: 2);
        Check(test, op, path, weight, bias, (row, k) => test.At(input, (row / 9 * 18) + (row % 9), k));
    }

    [Theory]
    [MemberData(nameof(Paths))]
    public void Epilogues_agree_with_their_definition(string path)
    {
        foreach (var activation in Enum.GetValues<Activation>())
        {
            foreach (var (order, tableRows, residuals) in new[] { (RowOrder.ByRun, 2, 0), (RowOrder.ByFrame, 2, 1), (RowOrder.ByRun, 1, 2), (RowOrder.ByRun, 0, 2) })
            {
                using var test = new ProductCase(9);
                var input = new Operand(test.Value(4, 11, 50));
                var plain = Linear(test, input, 74, DType.F16, out var weight, out var bias, activation: activation);
                var shape = plain.Output.Shape;
                long[] extents = [.. shape.Extents];
                var op = plain with
                {
                    Epilogue = new Epilogue
                    {
                        Activation = activation,
                        Rows = tableRows == 0 ? null : new RowTable(test.Value(tableRows, shape.Channels), order),
                        Scale = new MixScale(0.75f),
                        Residuals = [.. new[] { -1.5f, 0.25f }.Take(residuals).Select(s => new Residual(test.Value(extents), new MixScale(s)))],
                    },
                };
                Check(test, op, path, weight, bias, (row, k) => test.At(input, row, k));
            }
        }
    }

    [Theory]
    [MemberData(nameof(Paths))]
    public void Conv_agrees_with_plain_loops(string path)
    {
        var cases = new (int H, int W, int C1, int C2, int N, int Kh, int Kw, int Stride, Padding Pad, bool Up)[]
        {
            (5, 7, 4, 0, 33, 3, 3, 1, Padding.Same(1), false),
            (6, 6, 3, 0, 8, 3, 3, 2, new Padding(0, 0, 1, 1), false),
            (9, 4, 40, 24, 17, 3, 3, 1, Padding.Same(1), false),
            (3, 5, 20, 0, 40, 3, 3, 1, Padding.Same(1), true),
            (4, 3, 7, 6, 9, 3, 3, 2, Padding.Same(1), true),
            (28, 28, 3, 0, 20, 14, 14, 14, Padding.Same(0), false),
            (8, 7, 50, 0, 34, 1, 3, 1, new Padding(0, 2, 0, 1), false),
            (16, 18, 16, 0, 4, 3, 3, 1, Padding.Same(1), false),
            (2, 2, 5, 0, 3, 5, 5, 1, Padding.Same(2), false),
        };
        foreach (var c in cases)
        {
            using var test = new ProductCase(c.H + c.N);
            var input = new Operand(test.Value(2, c.H, c.W, c.C1), c.C2 == 0 ? null : test.Value(2, c.H, c.W, c.C2));
            var (channels, taps, scale) = (input.Channels, c.Kh * c.Kw, c.Up ? 2 : 1);
            var weight = test.Weights.Add("w", DType.F16, test.Random(c.N * channels * taps), c.N, channels, c.Kh, c.Kw);
            var bias = test.Weights.Add("b", DType.F16, test.Random(c.N), c.N);
            var height = ((c.H * scale) + c.Pad.Top + c.Pad.Bottom - c.Kh) / c.Stride + 1;
            var width = ((c.W * scale) + c.Pad.Left + c.Pad.Right - c.Kw) / c.Stride + 1;
            var op = new ConvOp
            {
                Name = "conv", Outputs = [test.Value(2, height, width, c.N)], Input = input, Weight = WeightMatrix.Of("w", c.N, channels, taps), Bias = WeightVector.Of("b", c.N),
                KernelHeight = c.Kh, KernelWidth = c.Kw, Stride = c.Stride, Padding = c.Pad, Upsample = c.Up,
            };
            Check(test, op, path, weight, bias, (row, k) =>
            {
                var (tap, channel) = Math.DivRem(k, channels);
                var (image, y, x) = (row / (height * width), row / width % height, row % width);
                var sy = (y * c.Stride) - c.Pad.Top + (tap / c.Kw);
                var sx = (x * c.Stride) - c.Pad.Left + (tap % c.Kw);
                return sy < 0 || sx < 0 || sy >= c.H * scale || sx >= c.W * scale ? 0 : test.At(input, (((long)image * c.H) + (sy / scale)) * c.W + (sx / scale), channel);
            });
        }
    }

    [Theory]
    [MemberData(nameof(Paths))]
    public void Temporal_conv_agrees_with_plain_loops(string path)
    {
        foreach (var frames in new[] { 1, 2, 3, 6 })
        {
            using var test = new ProductCase(frames);
            var input = test.Value(6, 3, 5, 130);
            var weight = test.Weights.Add("w", DType.BF16, test.Random(35 * 130 * 3), 35, 130, 3, 1, 1);
            var bias = test.Weights.Add("b", DType.F16, test.Random(35), 35);
            var op = new TemporalConvOp
            {
                Name = "temporal", Outputs = [test.Value(6, 3, 5, 35)], Input = input, Weight = WeightMatrix.Of("w", 35, 130, 3), Bias = WeightVector.Of("b", 35), Frames = frames,
            };
            Check(test, op, path, weight, bias, (row, k) =>
            {
                var frame = (row / 15 % frames) + (k / 130) - 1;
                return frame < 0 || frame >= frames ? 0 : test.At(input, row + ((k / 130) - 1) * 15, k % 130);
            });
        }
    }

    [Theory]
    [MemberData(nameof(Paths))]
    public void Joined_and_sliced_matrices_are_their_parts(string path)
    {
        using var test = new ProductCase(3);
        var input = new Operand(test.Value(1, 20, 48));
        var (a, b) = (test.Weights.Add("a", DType.F16, test.Random(30 * 48), 30, 48), test.Weights.Add("b", DType.F32, test.Random(20 * 48), 20, 48));
        var stacked = new WeightMatrix { Tensors = ["a", "b"], Outputs = 50, Inputs = 48 };
        var op = new LinearOp { Name = "stacked", Outputs = [test.Value(1, 20, 50)], Input = input, Weight = stacked };
        Check(test, op, path, [.. a, .. b], null, (row, k) => test.At(input, row, k));

        var (c, d) = (test.Weights.Add("c", DType.F16, test.Random(40 * 18), 40, 18), test.Weights.Add("d", DType.F16, test.Random(40 * 30), 40, 30));
        var beside = Enumerable.Range(0, 40).SelectMany(o => c.Skip(o * 18).Take(18).Concat(d.Skip(o * 30).Take(30))).ToArray();
        op = new LinearOp { Name = "beside", Outputs = [test.Value(1, 20, 40)], Input = input, Weight = new WeightMatrix { Tensors = ["c", "d"], Join = MatrixJoin.Inputs, Outputs = 40, Inputs = 48 } };
        Check(test, op, path, beside, null, (row, k) => test.At(input, row, k));

        var whole = test.Weights.Add("e", DType.BF16, test.Random(60 * 100), 60, 100);
        var slice = Enumerable.Range(7, 41).SelectMany(o => whole.Skip((o * 100) + 52).Take(48)).ToArray();
        op = new LinearOp { Name = "slice", Outputs = [test.Value(1, 20, 41)], Input = input, Weight = WeightMatrix.Of("e", 41, 48) with { FirstOutput = 7, FirstInput = 52 } };
        Check(test, op, path, slice, null, (row, k) => test.At(input, row, k));
    }

    [Theory]
    [MemberData(nameof(Paths))]
    public void Not_a_number_and_infinity_reach_the_output(string path)
    {
        foreach (var activation in Enum.GetValues<Activation>())
        {
            using var test = new ProductCase(4);
            var input = new Operand(test.Value(1, 20, 40));
            var op = Linear(test, input, 66, DType.F16, out _, out _, activation: activation);
            test.Data(input.First)[(7 * 40) + 3] = float.NaN;
            var actual = test.Run(op, PathOf(path), 2);
            var channels = op.Output.Shape.Channels;
            for (var i = 0; i < actual.Length; i++)
            {
                Assert.Equal(i / channels == 7, float.IsNaN(actual[i]));
            }
        }
    }

    [Fact]
    public void A_misshaped_tensor_is_named()
    {
        using var test = new ProductCase(1);
        var input = new Operand(test.Value(1, 2, 8));
        var op = Linear(test, input, 4, DType.F16, out _, out _);
        foreach (var (extents, matrix) in new (long[], WeightMatrix)[]
        {
            ([4, 7], WeightMatrix.Of("bad", 4, 8)), ([3, 8], WeightMatrix.Of("bad", 4, 8)), ([4, 8, 3], WeightMatrix.Of("bad", 4, 8)), ([32], WeightMatrix.Of("bad", 4, 8)),
            ([5, 8], new WeightMatrix { Tensors = ["w", "bad"], Outputs = 8, Inputs = 8 }),
            ([3, 8], new WeightMatrix { Tensors = ["w", "bad"], Outputs = 8, Inputs = 8 }),
        })
        {
            test.Weights.Add("bad", DType.F16, new float[extents.Aggregate(1L, (x, y) => x * y)], extents);
            var shape = test.Value(1, 2, matrix.Outputs);
            var error = Assert.Throws<CheckpointException>(() => test.Run(op with { Weight = matrix, Bias = null, Outputs = [shape] }, InstructionPaths.Best, 1));
            Assert.Contains(error.Tensor!, error.Message, StringComparison.Ordinal);
        }
    }
}
