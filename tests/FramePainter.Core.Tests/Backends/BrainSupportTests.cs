using Microsoft.Extensions.Logging.Abstractions;
using System.Globalization;
using FramePainter.Backends.Cpu;
using FramePainter.Backends.Cpu.Jit;
using FramePainter.Backends.Cpu.Kernels;
using FramePainter.Backends.Cpu.Simd;
using FramePainter.Core.Tests.Backends;
using FramePainter.Graphs;
using FramePainter.Tensors;

namespace FramePainter.Tests.Backends;

/// <summary>Where kernels of bfloat16 come from, and what happens where they cannot.</summary>
public sealed class BrainSupportTests
{
    [Fact]
    public void Without_executable_pages_rounded_weights_are_widened_and_the_device_says_so()
    {
        Assert.SkipUnless(InstructionPaths.Best == InstructionPath.Avx512 && BrainSupport.SpelledOut.Kernels is not null, "This processor has no AVX-512.");
        var refused = BrainSupport.Assemble(_ => throw new PlatformNotSupportedException("no pages today"), BrainInstructions.SpelledOut);
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
        var rounded = new CpuNumbers(Precision.BFloat16) { Support = BrainSupport.SpelledOut };
        Assert.NotEqual(test.Run(op, InstructionPaths.Best, 1, rounded), test.Run(op, InstructionPaths.Best, 1, numbers));
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
    public void Convolutions_run_by_Winograds_algorithm_in_float32_and_directly_on_amx()
    {
        using var test = new ProductCase(5);
        test.Weights.Add("w", DType.F16, test.Random(64 * 64 * 9), 64, 64, 3, 3);
        var op = new ConvOp { Name = "conv", Outputs = [test.Value(1, 16, 16, 64)], Input = new Operand(test.Value(1, 16, 16, 64)), Weight = WeightMatrix.Of("w", 64, 64, 9), KernelHeight = 3, KernelWidth = 3 };
        foreach (var kind in new[] { BrainKind.Vectors, BrainKind.Matrices })
        {
            var numbers = new CpuNumbers(Precision.BFloat16) { Support = BrainKinds.Support(kind) };
            using var backend = new CpuBackend(1, null, numbers);
            Assert.Equal(kind == BrainKind.Matrices, backend.Description.Contains("bfloat16 (AMX)", StringComparison.Ordinal));
            var chosen = test.Run(op, InstructionPath.Avx512, 1, numbers, WinogradUse.WhereFaster);
            Assert.Equal(test.Run(op, InstructionPath.Avx512, 1, numbers, kind == BrainKind.Matrices ? WinogradUse.Never : WinogradUse.Always), chosen);
            Assert.NotEqual(test.Run(op, InstructionPath.Avx512, 1, numbers, kind == BrainKind.Matrices ? WinogradUse.Always : WinogradUse.Never), chosen);
        }
    }

    [Fact]
    public void Amx_is_the_default_where_it_is_granted_and_zero_turns_it_off()
    {
        Assert.True(MatrixPermission.Wants(null));
        Assert.True(MatrixPermission.Wants("1"));
        Assert.False(MatrixPermission.Wants("0"));
        var wanted = MatrixPermission.Wants(Environment.GetEnvironmentVariable("FRAMEPAINTER_AMX"));
        Assert.True(wanted || !MatrixPermission.Granted);
        Assert.Equal(MatrixPermission.Granted && BrainSupport.HasInstructions, BrainSupport.OfThisMachine.Kernels is { Matrices: true });
    }

    /// <summary>What the system saves of a thread that has used tile registers is larger than the stack that the runtime handles faults on.</summary>
    [Fact]
    public unsafe void A_null_reference_is_an_exception_on_a_thread_that_has_used_kernels_of_amx()
    {
        var kernels = BrainKinds.Support(BrainKind.Matrices).Kernels!;
        string? nothing = null;
        for (var i = 0; i < 3; i++)
        {
            Exception? caught = null;
            var thread = new Thread(() =>
            {
                using var memory = new NativeBuffer(2 * kernels.TileRows * Blocking.RowStride * sizeof(float));
                var call = new TileCall { Rows = (float*)memory.Pointer, Panel = (byte*)memory.Pointer, Words = 32, Distance = Blocking.RowStride * sizeof(float), Sums = (float*)memory.Pointer + (kernels.TileRows * Blocking.RowStride), SumDistance = Blocking.RowStride * sizeof(float) };
                kernels.Enter();
                FloatKernels.Run(kernels.Wide[^1], &call);
                caught = Record.Exception(() => nothing!.Length);
                kernels.Leave();
            });
            thread.Start();
            thread.Join();
            Assert.IsType<NullReferenceException>(caught);
        }
    }

    [Fact]
    public void No_edit_runs_on_kernels_that_are_spelled_out()
    {
        var here = BrainSupport.OfThisMachine;
        Assert.Equal(BrainSupport.HasInstructions, here.Kernels is not null || here.Absence != "this processor has no AVX512-BF16");
        Assert.True(here.Kernels is null || here.Kernels != BrainSupport.SpelledOut.Kernels);
    }

    [Fact]
    public void Pages_that_hold_kernels_can_be_executed_and_not_written()
    {
        var kernels = BrainSupport.OfThisMachine.Kernels ?? BrainSupport.SpelledOut.Kernels;
        Assert.SkipUnless(OperatingSystem.IsLinux() && kernels is not null, "Looks at Linux's list of mappings.");
        var address = (ulong)kernels!.Wide[0];
        var line = File.ReadLines("/proc/self/maps").Single(l =>
        {
            var range = l[..l.IndexOf(' ', StringComparison.Ordinal)].Split('-');
            return ulong.Parse(range[0], NumberStyles.HexNumber, CultureInfo.InvariantCulture) <= address
                && address < ulong.Parse(range[1], NumberStyles.HexNumber, CultureInfo.InvariantCulture);
        });
        Assert.Contains(" r-xp ", line, StringComparison.Ordinal);
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
