using FramePainter.Backends.Cpu;
using FramePainter.Backends.Cpu.Jit;
using FramePainter.Backends.Cpu.Simd;
using FramePainter.Core.Tests.Backends;
using FramePainter.Graphs;
using FramePainter.Tensors;

namespace FramePainter.Tests.Backends;

/// <summary>Products whose inputs or weights are kept in narrow numbers: exactly those of the plain definition, summed in float32.</summary>
public sealed class NumbersTests
{
    /// <summary>Behind a path's name: its kernels of bfloat16 are AVX512-BF16's, with instructions spelled out where the processor has none, and tiles of one panel.</summary>
    const string Vectors = ", AVX512-BF16";

    /// <summary>The same with tiles of two panels.</summary>
    const string Pairs = ", AVX512-BF16, two panels";

    /// <summary>The same of AMX.</summary>
    const string Matrices = ", AMX";

    /// <summary>Precision and weights of every combination that is allowed, with the paths that differ by it.</summary>
    public static TheoryData<Precision, WeightFormat, string> Numbers
    {
        get
        {
            var data = new TheoryData<Precision, WeightFormat, string>();
            foreach (var path in Enum.GetValues<InstructionPath>().Where(InstructionPaths.IsSupported))
            {
                data.Add(Precision.Float32, WeightFormat.Half, path.ToString());
                data.Add(Precision.Float32, WeightFormat.BFloat16, path.ToString());
                data.Add(Precision.Float32, WeightFormat.Int8, path.ToString());
                data.Add(Precision.BFloat16, WeightFormat.AsStored, path.ToString());
                data.Add(Precision.BFloat16, WeightFormat.Int8, path.ToString());
                if (path == InstructionPath.Avx512)
                {
                    data.Add(Precision.BFloat16, WeightFormat.AsStored, path + Vectors);
                    data.Add(Precision.BFloat16, WeightFormat.Int8, path + Vectors);
                    data.Add(Precision.BFloat16, WeightFormat.AsStored, path + Pairs);
                    data.Add(Precision.BFloat16, WeightFormat.Int8, path + Pairs);
                    data.Add(Precision.BFloat16, WeightFormat.AsStored, path + Matrices);
                    data.Add(Precision.BFloat16, WeightFormat.Int8, path + Matrices);
                }
            }

            return data;
        }
    }

    [Theory]
    [MemberData(nameof(Numbers))]
    public void Linear_sums_exactly_the_rounded_numbers(Precision precision, WeightFormat format, string path)
    {
        var rounding = new Rounding(precision, format, path);
        var sizes = new (int Tokens, int Inputs, int Outputs, Activation Activation)[]
        {
            (1, 1, 1, Activation.None), (1, 640, 33, Activation.None), (13, 17, 31, Activation.Silu), (15, 321, 47, Activation.None), (29, 641, 64, Activation.None),
            (253, 40, 96, Activation.Gelu), (60, 1300, 70, Activation.None), (31, 963, 8, Activation.None), (44, 50, 74, Activation.Geglu), (17, 71, 128, Activation.Geglu),
            (29, 64, 64, Activation.None), (33, 2624, 97, Activation.None), (40, 96, 200, Activation.Geglu),
        };
        foreach (var (tokens, inputs, outputs, activation) in sizes)
        {
            foreach (var type in new[] { DType.F32, DType.F16, DType.BF16 })
            {
                using var test = new ProductCase(tokens + inputs + outputs);
                var input = new Operand(test.Value(1, tokens, inputs));
                var weight = test.Weights.Add("w", type, test.Random(outputs * inputs), outputs, inputs);
                var bias = test.Weights.Add("b", DType.F32, test.Random(outputs), outputs);
                var op = new LinearOp
                {
                    Name = "linear", Outputs = [test.Value(1, tokens, activation == Activation.Geglu ? outputs / 2 : outputs)], Input = input,
                    Weight = WeightMatrix.Of("w", outputs, inputs), Bias = WeightVector.Of("b", outputs), Epilogue = Epilogue.None with { Activation = activation },
                };
                rounding.Check(test, op, weight, bias, (row, k) => test.At(input, row, k));
            }
        }
    }

    /// <summary>Two values side by side, each of whole registers of pairs or not; images left out between others.</summary>
    [Theory]
    [MemberData(nameof(Numbers))]
    public void Linear_sums_exactly_the_rounded_numbers_of_two_values(Precision precision, WeightFormat format, string path)
    {
        var rounding = new Rounding(precision, format, path);
        foreach (var (first, second, stride) in new[] { (64, 96, 1), (96, 37, 1), (33, 64, 2), (320, 640, 2) })
        {
            using var test = new ProductCase(first + second);
            var input = new Operand(test.Value(2 * stride, 19, first), test.Value(2 * stride, 19, second));
            var weight = test.Weights.Add("w", DType.F16, test.Random(72 * (first + second)), 72, first + second);
            var op = new LinearOp { Name = "linear", Outputs = [test.Value(2, 19, 72)], Input = input, Weight = WeightMatrix.Of("w", 72, first + second), ImageStride = stride };
            rounding.Check(test, op, weight, null, (row, k) => test.At(input, (row / 19 * 19 * stride) + (row % 19), k));
        }
    }

    /// <summary>
    /// Several panels of a work item wait for a second stretch of inputs, with a rest of rows behind the last tile; of two blocks the smaller finds rows of the larger behind its own.
    /// </summary>
    [Theory]
    [InlineData(Vectors)]
    [InlineData(Pairs)]
    [InlineData(Matrices)]
    public void Sums_of_several_panels_wait_for_the_next_stretch(string kernels)
    {
        var rounding = new Rounding(Precision.BFloat16, WeightFormat.AsStored, InstructionPath.Avx512 + kernels);
        using var test = new ProductCase(6);
        var input = new Operand(test.Value(1, 277, 700));
        var weight = test.Weights.Add("w", DType.BF16, test.Random(600 * 700), 600, 700);
        rounding.Check(
            test, new LinearOp { Name = "linear", Outputs = [test.Value(1, 277, 600)], Input = input, Weight = WeightMatrix.Of("w", 600, 700) }, weight, null, (row, k) => test.At(input, row, k));
    }

    [Theory]
    [MemberData(nameof(Numbers))]
    public void Convolutions_sum_exactly_the_rounded_numbers(Precision precision, WeightFormat format, string path)
    {
        var rounding = new Rounding(precision, format, path);
        foreach (var (first, second, stride, doubled) in new[]
        {
            (5, 0, 1, false), (40, 31, 1, false), (133, 0, 2, false), (64, 0, 1, false), (64, 0, 2, false), (96, 32, 1, false), (32, 64, 2, false), (64, 0, 1, true), (7, 64, 1, true),
        })
        {
            var shift = doubled ? 1 : 0;
            var (height, width) = stride == 1 ? (5 << shift, 7 << shift) : (3, 4);
            using var test = new ProductCase(first);
            var input = new Operand(test.Value(2, 5, 7, first), second == 0 ? null : test.Value(2, 5, 7, second));
            var channels = input.Channels;
            var weight = test.Weights.Add("w", DType.F16, test.Random(33 * channels * 9), 33, channels, 3, 3);
            var op = new ConvOp
            {
                Name = "conv", Outputs = [test.Value(2, height, width, 33)], Input = input, Weight = WeightMatrix.Of("w", 33, channels, 9),
                KernelHeight = 3, KernelWidth = 3, Stride = stride, Padding = Padding.Same(1), Upsample = doubled,
            };
            rounding.Check(test, op, weight, null, (row, k) =>
            {
                var (tap, channel) = Math.DivRem(k, channels);
                var (image, y, x) = (row / (height * width), (row / width % height * stride) - 1 + (tap / 3), (row % width * stride) - 1 + (tap % 3));
                return y < 0 || x < 0 || y >= 5 << shift || x >= 7 << shift ? 0 : test.At(input, (((image * 5) + (y >> shift)) * 7) + (x >> shift), channel);
            });
        }
    }

    /// <summary>Winograd's convolution computes in float32 whatever the precision of products, from the same narrow weights.</summary>
    [Theory]
    [MemberData(nameof(Numbers))]
    public void Winograd_reads_the_rounded_weights(Precision precision, WeightFormat format, string path)
    {
        var (instructions, numbers) = Of(precision, format, path);
        using var test = new ProductCase(3);
        var input = new Operand(test.Value(2, 9, 7, 64));
        var weight = test.Weights.Add("w", DType.F16, test.Random(48 * 64 * 9), 48, 64, 3, 3);
        var op = new ConvOp
        {
            Name = "conv", Outputs = [test.Value(2, 9, 7, 48)], Input = input, Weight = WeightMatrix.Of("w", 48, 64, 9),
            KernelHeight = 3, KernelWidth = 3, Stride = 1, Padding = Padding.Same(1),
        };
        var rounded = Rounding.Weights(weight, 48, format);
        var expected = test.Expect(op, rounded, null, (row, k) =>
        {
            var (tap, channel) = Math.DivRem(k, 64);
            var (image, y, x) = (row / 63, (row / 7 % 9) - 1 + (tap / 3), (row % 7) - 1 + (tap % 3));
            return y < 0 || x < 0 || y >= 9 || x >= 7 ? 0 : test.At(input, (((image * 9) + y) * 7) + x, channel);
        });
        var actual = test.Run(op, instructions, 2, numbers, WinogradUse.Always);
        Assert.Equal(expected.Length, actual.Length);
        var error = Math.Sqrt(expected.Zip(actual, (e, a) => (e - a) * (e - a)).Sum() / expected.Sum(e => e * e));
        Assert.True(error < 2e-6, $"relative L2 distance {error:G3}");
    }

    [Theory]
    [MemberData(nameof(Numbers))]
    public void Pairs_that_a_temporal_convolution_shares_with_a_missing_frame_count_half(Precision precision, WeightFormat format, string path)
    {
        // With an odd number of channels, a tap left out ends or begins within a pair.
        var rounding = new Rounding(precision, format, path);
        foreach (var frames in new[] { 1, 2, 3 })
        {
            foreach (var channels in new[] { 1, 64, 131, 651 })
            {
                using var test = new ProductCase(frames + channels);
                var input = test.Value(6, 3, 5, channels);
                var weight = test.Weights.Add("w", DType.BF16, test.Random(35 * channels * 3), 35, channels, 3, 1, 1);
                var op = new TemporalConvOp { Name = "temporal", Outputs = [test.Value(6, 3, 5, 35)], Input = input, Weight = WeightMatrix.Of("w", 35, channels, 3), Frames = frames };
                rounding.Check(test, op, weight, null, (row, k) =>
                {
                    var frame = (row / 15 % frames) + (k / channels) - 1;
                    return frame < 0 || frame >= frames ? 0 : test.At(input, row + ((k / channels) - 1) * 15, k % channels);
                });
            }
        }
    }

    [Theory]
    [InlineData("")]
    [InlineData(Vectors)]
    [InlineData(Pairs)]
    [InlineData(Matrices)]
    public void Not_a_number_and_infinity_reach_the_output_of_bfloat16(string kernels)
    {
        var (path, numbers) = Of(Precision.BFloat16, WeightFormat.AsStored, InstructionPaths.Best + kernels);
        using var test = new ProductCase(4);
        var input = new Operand(test.Value(1, 20, 41));
        test.Weights.Add("w", DType.F16, [.. test.Random(66 * 41).Select(x => MathF.Abs(x) + 0.1f)], 66, 41);
        var op = new LinearOp { Name = "linear", Outputs = [test.Value(1, 20, 66)], Input = input, Weight = WeightMatrix.Of("w", 66, 41) };
        test.Data(input.First)[(7 * 41) + 40] = float.NaN;
        test.Data(input.First)[(9 * 41) + 3] = float.PositiveInfinity;
        var actual = test.Run(op, path, 2, numbers);
        for (var i = 0; i < actual.Length; i++)
        {
            Assert.Equal(i / 66 == 7, float.IsNaN(actual[i]));
            Assert.Equal(i / 66 == 9, float.IsPositiveInfinity(actual[i]));
        }
    }

    [Fact]
    public void Packed_weights_take_the_bytes_of_their_numbers()
    {
        const int inputs = 640, outputs = 320;
        const long count = inputs * outputs;
        foreach (var (numbers, expected) in new[]
        {
            (new CpuNumbers(), 4 * count), (new CpuNumbers(Weights: WeightFormat.Half), 2 * count), (new CpuNumbers(Weights: WeightFormat.BFloat16), 2 * count),
            (new CpuNumbers(Weights: WeightFormat.Int8), count + (outputs * sizeof(float))), (new CpuNumbers(Precision.BFloat16), 2 * count),
            (new CpuNumbers(Precision.BFloat16, WeightFormat.Int8), count + (outputs * sizeof(float))),
        })
        {
            using var test = new ProductCase(1);
            var op = new LinearOp { Name = "linear", Outputs = [test.Value(1, 1, outputs)], Input = new Operand(test.Value(1, 1, inputs)), Weight = WeightMatrix.Of("w", outputs, inputs) };
            test.Weights.Add("w", DType.F32, test.Random(inputs * outputs), outputs, inputs);
            using var backend = new CpuBackend(1, null, numbers with { NarrowToo = true });
            using var store = backend.CreateStore(test.Weights);
            using var executable = backend.Compile(Planner.Plan(new Graph("case", [op.Input.First], [op], op.Outputs)), store);
            Assert.Equal(expected, store.Bytes);
        }
    }

    [Fact]
    public void Weights_beyond_their_numbers_are_named()
    {
        foreach (var (value, format) in new[] { (70000f, WeightFormat.Half), (float.NaN, WeightFormat.Int8), (float.PositiveInfinity, WeightFormat.Int8) })
        {
            using var test = new ProductCase(1);
            var op = new LinearOp { Name = "linear", Outputs = [test.Value(1, 1, 3)], Input = new Operand(test.Value(1, 1, 2)), Weight = WeightMatrix.Of("w", 3, 2) };
            test.Weights.Add("w", DType.F32, [1, 2, value, 4, 5, 6], 3, 2);
            var error = Assert.Throws<CheckpointException>(() => test.Run(op, InstructionPaths.Best, 1, new CpuNumbers(Weights: format) { NarrowToo = true }));
            Assert.Equal("w", error.Tensor);
        }
    }

    [Fact]
    public void Narrow_products_and_those_of_tables_stay_as_they_are()
    {
        int[] one = [1, 1], tokens = [2, 15], table = [50];
        foreach (var (rows, inputs, outputs, rounded) in new[] { (one, 64, 64, true), (tokens, 64, 64, true), (table, 64, 64, false), (tokens, 63, 64, false), (tokens, 64, 63, false) })
        {
            using var test = new ProductCase(1);
            test.Weights.Add("w", DType.F32, test.Random(inputs * outputs), outputs, inputs);
            var op = new LinearOp { Name = "linear", Outputs = [test.Value([.. rows, outputs])], Input = new Operand(test.Value([.. rows, inputs])), Weight = WeightMatrix.Of("w", outputs, inputs) };
            var exact = test.Run(op, InstructionPaths.Best, 1);
            foreach (var numbers in new[] { new CpuNumbers(Precision.BFloat16), new CpuNumbers(Weights: WeightFormat.Int8) })
            {
                Assert.Equal(rounded, !exact.AsSpan().SequenceEqual(test.Run(op, InstructionPaths.Best, 1, numbers)));
            }
        }
    }

    static (InstructionPath Path, CpuNumbers Numbers) Of(Precision precision, WeightFormat format, string path) =>
        (Enum.Parse<InstructionPath>(path.Split(',')[0]), new CpuNumbers(precision, format)
        {
            NarrowToo = true,
            Support = path.EndsWith(Matrices, StringComparison.Ordinal) ? BrainKinds.Support(BrainKind.Matrices)
                : path.Contains(Vectors, StringComparison.Ordinal) ? BrainKinds.Support(BrainKind.Vectors) : null,
            Tiles = path.EndsWith(Pairs, StringComparison.Ordinal) ? TileForm.TwoPanels : path.EndsWith(Vectors, StringComparison.Ordinal) ? TileForm.OnePanel : null,
        });

    /// <summary>Numbers as their definition rounds them.</summary>
    sealed class Rounding
    {
        readonly CpuNumbers _numbers;
        readonly InstructionPath _path;
        readonly bool _roundsInputs;

        public Rounding(Precision precision, WeightFormat format, string path)
        {
            (_path, _numbers) = Of(precision, format, path);
            _roundsInputs = precision == Precision.BFloat16 && _path == InstructionPath.Avx512 && (_numbers.Support ?? BrainSupport.OfThisMachine).Kernels is not null;
        }

        public void Check(ProductCase test, ProductOp op, float[] weight, float[]? bias, Func<int, int, double> input)
        {
            var rounded = Weights(weight, op.Weight.Outputs, _numbers.Weights);
            var expected = test.Expect(op, rounded, bias, (row, k) => _roundsInputs ? Brain((float)input(row, k)) : input(row, k));
            var actual = test.Run(op, _path, 1, _numbers);
            var scale = Math.Sqrt(op.Weight.Inputs * op.Weight.Taps);
            for (var i = 0; i < expected.Length; i++)
            {
                var bound = 2e-6 * (scale + Math.Abs(expected[i]));
                Assert.True(Math.Abs(expected[i] - actual[i]) <= bound, $"{op.Name} {op.Output.Shape}, element {i}: expected {expected[i]:R}, found {actual[i]:R}, bound {bound:R}");
            }

            Assert.Equal(actual, test.Run(op, _path, 2, _numbers));
            Assert.Equal(actual, test.Run(op, _path, 3, _numbers));
        }

        public static float[] Weights(float[] weight, int outputs, WeightFormat format)
        {
            switch (format)
            {
                case WeightFormat.Half:
                    return Array.ConvertAll(weight, x => (float)(Half)x);
                case WeightFormat.Int8:
                    var each = weight.Length / outputs;
                    var largest = Enumerable.Range(0, outputs).Select(o => weight.Skip(o * each).Take(each).Max(MathF.Abs) / 127).ToArray();
                    return [.. weight.Select((x, i) => MathF.Round(x * (1 / largest[i / each])) * largest[i / each])];
                default:
                    return Array.ConvertAll(weight, Brain);
            }
        }

        static float Brain(float x) => BitConverter.UInt32BitsToSingle((uint)HalfConversion.NarrowBF16(x) << 16);
    }
}
