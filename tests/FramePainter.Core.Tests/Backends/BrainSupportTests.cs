using Microsoft.Extensions.Logging.Abstractions;
using System.Globalization;
using FramePainter.Backends.Cpu;
using FramePainter.Backends.Cpu.Jit;
using FramePainter.Backends.Cpu.Simd;
using FramePainter.Graphs;
using FramePainter.Tensors;

namespace FramePainter.Tests.Backends;

/// <summary>Where kernels of bfloat16 come from, and what happens where they cannot.</summary>
public sealed class BrainSupportTests
{
    [Fact]
    public void Without_executable_pages_rounded_weights_are_widened_and_the_device_says_so()
    {
        Assert.SkipUnless(BrainSupport.HasInstructions, "This processor has no AVX512-BF16.");
        var refused = BrainSupport.Assemble(_ => throw new PlatformNotSupportedException("no pages today"));
        Assert.Null(refused.Kernels);
        Assert.Equal("no pages today", refused.Absence);
        var numbers = new CpuNumbers(Precision.BFloat16) { Support = refused };
        using (var backend = new CpuBackend(1, null, numbers))
        {
            Assert.Contains("float32 of bfloat16 weights (no pages today)", backend.Description, StringComparison.Ordinal);
        }

        using var test = new ProductCase(3);
        var op = Linear(test);
        Assert.Equal(
            test.Run(op, InstructionPaths.Best, 1, new CpuNumbers(Weights: WeightFormat.BFloat16)), test.Run(op, InstructionPaths.Best, 1, numbers));
        Assert.NotEqual(test.Run(op, InstructionPaths.Best, 1, new CpuNumbers(Precision.BFloat16)), test.Run(op, InstructionPaths.Best, 1, numbers));
    }

    [Fact]
    public void The_device_says_which_numbers_it_computes_in()
    {
        var native = BrainSupport.OfThisMachine.Kernels is not null && InstructionPaths.Best == InstructionPath.Avx512;
        foreach (var (numbers, said) in new[]
        {
            (new CpuNumbers(), InstructionPaths.Best.ToString()), (new CpuNumbers(Weights: WeightFormat.Int8), "weights Int8"),
            (new CpuNumbers(Precision.BFloat16), native ? "products in bfloat16" : "products in float32 of bfloat16 weights"),
        })
        {
            using var backend = new CpuBackend(1, null, numbers);
            Assert.Contains(said, backend.Description, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Pages_that_hold_kernels_can_be_executed_and_not_written()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux() && BrainSupport.OfThisMachine.Kernels is not null, "Looks at Linux's list of mappings.");
        var address = (ulong)BrainSupport.OfThisMachine.Kernels!.Wide[0];
        var line = File.ReadLines("/proc/self/maps").Single(l =>
        {
            var range = l[..l.IndexOf(' ', StringComparison.Ordinal)].Split('-');
            return ulong.Parse(range[0], NumberStyles.HexNumber, CultureInfo.InvariantCulture) <= address
                && address < ulong.Parse(range[1], NumberStyles.HexNumber, CultureInfo.InvariantCulture);
        });
        Assert.Contains(" r-xp ", line, StringComparison.Ordinal);
    }

    [Fact]
    public unsafe void Rounding_is_to_nearest_even_as_the_converter_rounds()
    {
        Assert.SkipUnless(BrainSupport.OfThisMachine.Kernels is not null, BrainSupport.OfThisMachine.Absence ?? "");
        const int rows = 5, pairs = 133;
        using var source = new NativeBuffer(rows * Blocking.RowStride * sizeof(float));
        using var target = new NativeBuffer((rows + 1) * Blocking.RowStride * sizeof(float));
        var random = new Random(8);
        var floats = source.Span<float>(0, rows * Blocking.RowStride);
        for (var i = 0; i < floats.Length; i++)
        {
            // All normal exponents, halfway cases among them.
            var bits = (uint)random.NextInt64(0x0080_0000, 0x7F80_0000) | ((uint)random.Next(2) << 31);
            floats[i] = BitConverter.UInt32BitsToSingle(i % 3 == 0 ? (bits & 0xFFFF_0000) | 0x8000 : bits);
        }

        (floats[0], floats[1], floats[2]) = (float.NaN, float.NegativeInfinity, -0f);
        BrainSupport.OfThisMachine.Kernels!.Round((float*)source.Pointer, (float*)target.Pointer, rows, pairs);
        for (var row = 0; row < rows; row++)
        {
            var got = target.Span<ushort>(row * Blocking.RowStride * sizeof(float), 2 * pairs);
            for (var i = 0; i < got.Length; i++)
            {
                var x = floats[(row * Blocking.RowStride) + i];
                Assert.True(got[i] == HalfConversion.NarrowBF16(x) || (float.IsNaN(x) && (got[i] & 0x7FFF) > 0x7F80), $"{x:R} became {got[i]:X4}");
            }
        }

        Assert.All(target.Span<float>(rows * Blocking.RowStride * sizeof(float), Blocking.RowStride).ToArray(), x => Assert.Equal(0, x));
    }

    [Fact]
    public void Numbers_that_contradict_each_other_or_the_device_are_refused_by_name()
    {
        Assert.Equal(nameof(PainterOptions.Weights), Assert.Throws<OptionException>(() => new CpuBackend(1, null, new CpuNumbers(Precision.BFloat16, WeightFormat.Half))).Option);
        Assert.Throws<OptionException>(() => new CpuBackend(1, null, new CpuNumbers((Precision)9)));
        Assert.Throws<OptionException>(() => new CpuBackend(1, null, new CpuNumbers(Weights: (WeightFormat)9)));
        var other = Device.Custom("other", () => new CpuBackend(1));
        var error = Assert.Throws<OptionException>(() => other.CreateBackend(new BackendRequest(1, new CpuNumbers(Precision.BFloat16), WinogradUse.WhereFaster, NullLogger.Instance)));
        Assert.Contains("other", error.Message, StringComparison.Ordinal);
        other.CreateBackend(new BackendRequest(1, new CpuNumbers(), WinogradUse.WhereFaster, NullLogger.Instance)).Dispose();
    }

    static LinearOp Linear(ProductCase test)
    {
        test.Weights.Add("w", DType.F32, test.Random(70 * 90), 70, 90);
        return new LinearOp { Name = "linear", Outputs = [test.Value(1, 30, 70)], Input = new Operand(test.Value(1, 30, 90)), Weight = WeightMatrix.Of("w", 70, 90) };
    }
}
