using FramePainter.Backends.Cpu.Jit;
using FramePainter.Backends.Cpu.Simd;

namespace FramePainter.Conformance;

/// <summary>The suite on itself.</summary>
public sealed class OracleConformance() : ConformanceSuite(BackendProfile.Itself);

/// <summary>The suite on the processor, on as many threads as the machines of continuous integration have cores.</summary>
public sealed class CpuConformance() : ProcessorConformance(BackendProfile.Cpu);

/// <summary>Products and attention with AVX-512's tiles of the shape that this processor does not prefer.</summary>
public sealed class CpuOtherTilesConformance() : ProcessorConformance(BackendProfile.CpuOtherTiles);

/// <summary>Products and attention as on processors without AVX-512.</summary>
public sealed class CpuAvx2Conformance() : ProcessorConformance(BackendProfile.CpuAvx2);

/// <summary>The suite on the processor in bfloat16.</summary>
public sealed class CpuBFloat16Conformance() : ProcessorConformance(threads => BackendProfile.CpuBFloat16(threads, BrainSupport.OfThisMachine));

/// <summary>The suite in bfloat16 on any processor with AVX-512: its instructions are spelled out. Every single product with FRAMEPAINTER_FULL=1.</summary>
public sealed class CpuSpelledOutBFloat16Conformance() : ProcessorConformance(threads =>
    BackendProfile.CpuBFloat16(threads, BrainSupport.SpelledOut, Environment.GetEnvironmentVariable("FRAMEPAINTER_FULL") == "1"));

/// <summary>The same with the instructions of AMX spelled out.</summary>
public sealed class CpuSpelledOutMatricesConformance() : ProcessorConformance(threads =>
    BackendProfile.CpuBFloat16(threads, BrainSupport.SpelledOutMatrices, Environment.GetEnvironmentVariable("FRAMEPAINTER_FULL") == "1"));

/// <summary>What holds for the processor in any numbers.</summary>
public abstract class ProcessorConformance : ConformanceSuite
{
    readonly Func<int, BackendProfile> _ofThreads;

    private protected ProcessorConformance(Func<int, BackendProfile> ofThreads)
        : base(ofThreads(2)) => _ofThreads = ofThreads;

    /// <summary>Work is cut the same way for any number of threads.</summary>
    [Theory]
    [MemberData(nameof(Cases))]
    public void Computes_the_same_bits_on_any_number_of_threads(string name)
    {
        SkipWhenAbsent();
        Assert.SkipUnless(Profile.Takes(OpCases.All[name].Make()), "This backend leaves the case out.");
        var built = Expectation.Of(name).Built;
        using var alone = _ofThreads(1).Create();
        using var single = new GuardedRun(alone, built);
        var expected = single.Run();
        using var three = _ofThreads(3).Create();
        foreach (var backend in new[] { Backend, three })
        {
            using var run = new GuardedRun(backend, built);
            foreach (var (value, got) in run.Run())
            {
                Bits.AssertEqual(expected[value], got, $"{name}: {value} on {backend.Description}");
            }
        }
    }
}

/// <summary>Winograd's convolution with 512-bit registers.</summary>
public sealed class WinogradAvx512Conformance() : ConformanceSuite(BackendProfile.Winograd(InstructionPath.Avx512));

/// <summary>Winograd's convolution with 256-bit registers.</summary>
public sealed class WinogradAvx2Conformance() : ConformanceSuite(BackendProfile.Winograd(InstructionPath.Avx2));

/// <summary>Winograd's convolution with 128-bit registers.</summary>
public sealed class WinogradVector128Conformance() : ConformanceSuite(BackendProfile.Winograd(InstructionPath.Vector128));

/// <summary>Winograd's convolution without vectors: takes any number of channels.</summary>
public sealed class WinogradScalarConformance() : ConformanceSuite(BackendProfile.Winograd(InstructionPath.Scalar));
