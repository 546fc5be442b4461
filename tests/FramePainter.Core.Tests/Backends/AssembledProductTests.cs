using FramePainter.Backends.Cpu;
using FramePainter.Backends.Cpu.Jit;
using FramePainter.Backends.Cpu.Simd;
using FramePainter.Graphs;
using FramePainter.Tensors;

namespace FramePainter.Tests.Backends;

/// <summary>Assembled float32 kernels sum the very chains of the compiled ones: the same bits, wherever rows lie and whatever weights are stored as.</summary>
public sealed class AssembledProductTests
{
    static readonly CpuNumbers s_compiled = new() { CompiledOnly = true };

    public static TheoryData<int, int, int, string> Sizes => new()
    {
        { 1, 1, 1, "F16" }, { 13, 17, 31, "F32" }, { 15, 321, 47, "F16" }, { 61, 641, 64, "BF16" }, { 253, 40, 96, "F16" }, { 90, 1300, 70, "F16" },
        { 100, 1024, 40, "F16" }, { 71, 512, 33, "F32" }, { 337, 320, 640, "F16" }, { 700, 100, 66, "BF16" },
    };

    [Theory]
    [MemberData(nameof(Sizes))]
    public void Linear_in_place_and_gathered(int tokens, int inputs, int outputs, string type)
    {
        using var test = new ProductCase(tokens + inputs);
        test.Weights.Add("w", Enum.Parse<DType>(type), test.Random(outputs * inputs), outputs, inputs);
        foreach (var stride in new[] { 1, 2 })
        {
            var input = new Operand(test.Value(2 * stride, tokens, inputs));
            Same(test, new LinearOp
            {
                Name = "linear", Outputs = [test.Value(2, tokens, outputs)], Input = input, Weight = WeightMatrix.Of("w", outputs, inputs), ImageStride = stride,
            });
        }
    }

    [Theory]
    [InlineData(320, 64)]
    [InlineData(64, 1)]
    [InlineData(100, 512)]
    public void Concatenated_operands(int first, int second)
    {
        using var test = new ProductCase(first);
        test.Weights.Add("w", DType.F16, test.Random(70 * (first + second)), 70, first + second);
        Same(test, new LinearOp
        {
            Name = "linear", Outputs = [test.Value(1, 130, 70)], Input = new Operand(test.Value(1, 130, first), test.Value(1, 130, second)),
            Weight = WeightMatrix.Of("w", 70, first + second),
        });
    }

    [Theory]
    [InlineData(1, 40)]
    [InlineData(2, 320)]
    [InlineData(3, 131)]
    [InlineData(2, 512)]
    public void Frames_of_a_temporal_convolution(int frames, int channels)
    {
        using var test = new ProductCase(frames + channels);
        test.Weights.Add("w", DType.F16, test.Random(35 * channels * 3), 35, channels, 3, 1, 1);
        Same(test, new TemporalConvOp
        {
            Name = "temporal", Outputs = [test.Value(6, 5, 7, 35)], Input = new Operand(test.Value(6, 5, 7, channels)), Weight = WeightMatrix.Of("w", 35, channels, 3), Frames = frames,
        });
    }

    [Theory]
    [InlineData(32, 3, 5, 7)]
    [InlineData(64, 1, 30, 66)]
    [InlineData(352, 2, 9, 48)]
    public void Points_of_Winograds_convolution(int channels, int images, int side, int outputs)
    {
        using var test = new ProductCase(channels);
        test.Weights.Add("w", DType.F16, test.Random(outputs * channels * 9), outputs, channels, 3, 3);
        Same(
            test,
            new ConvOp
            {
                Name = "conv", Outputs = [test.Value(images, side, side + 1, outputs)], Input = new Operand(test.Value(images, side, side + 1, channels)),
                Weight = WeightMatrix.Of("w", outputs, channels, 9), KernelHeight = 3, KernelWidth = 3, Padding = Padding.Same(1),
            },
            WinogradUse.Always);
    }

    /// <summary>What kernels do to sums in their registers, and what is left to the compiled epilogue: columns that fill no register, tiles of two images with a row each.</summary>
    [Theory]
    [InlineData(40, 64)]
    [InlineData(40, 128)]
    [InlineData(31, 160)]
    [InlineData(13, 48)]
    [InlineData(29, 16)]
    [InlineData(29, 70)]
    public void Finished_sums(int tokens, int outputs)
    {
        using var test = new ProductCase(outputs);
        test.Weights.Add("w", DType.F16, test.Random(100 * outputs), outputs, 100);
        test.Weights.Add("b", DType.F32, test.Random(outputs), outputs);
        foreach (var parts in Enumerable.Range(0, 32))
        {
            Same(test, new LinearOp
            {
                Name = "linear", Outputs = [test.Value(4, tokens, outputs)], Input = test.Value(4, tokens, 100), Weight = WeightMatrix.Of("w", outputs, 100),
                Bias = (parts & 1) == 0 ? null : WeightVector.Of("b", outputs),
                Epilogue = new Epilogue
                {
                    Rows = (parts & 2) == 0 ? null : new RowTable(test.Value(2, outputs), RowOrder.ByFrame),
                    Scale = (parts & 4) == 0 ? MixScale.One : new MixScale(0.7f),
                    Residuals = [.. Enumerable.Range(0, parts / 8 % 3).Select(i => new Residual(test.Value(4, tokens, outputs), new MixScale(0.6f - i)))],
                },
            });
        }
    }

    [Fact]
    public void Without_executable_pages_there_are_none() =>
        Assert.Null(FloatKernels.Assemble(InstructionPath.Avx512, DType.F16, _ => throw new PlatformNotSupportedException("no pages today")));

    static void Same(ProductCase test, ProductOp op, WinogradUse winograd = WinogradUse.Never)
    {
        var paths = new[] { InstructionPath.Avx2, InstructionPath.Avx512 }.Where(path => FloatKernels.OfThisMachine(path, DType.F16) is not null).ToArray();
        Assert.SkipUnless(paths.Length > 0, "This machine has no assembled kernels.");
        foreach (var (path, format) in paths.SelectMany(path => new[] { (path, WeightFormat.AsStored), (path, WeightFormat.Int8) }))
        {
            var numbers = new CpuNumbers(Weights: format) { NarrowToo = true };
            var expected = test.Run(op, path, 1, numbers with { CompiledOnly = true }, winograd);
            foreach (var tiles in Enum.GetValues<TileForm>())
            {
                Assert.Equal(expected, test.Run(op, path, 1, numbers with { Tiles = tiles }, winograd));
                Assert.Equal(expected, test.Run(op, path, 3, numbers with { Tiles = tiles }, winograd));
            }
        }

        foreach (var path in paths)
        {
            Assert.Equal(test.Run(op, path, 2, s_compiled, winograd), test.Run(op, path, 2, winograd: winograd));
        }
    }
}
