using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.X86;
using FramePainter.Backends.Cpu.Simd;

namespace FramePainter.Backends.Cpu.Jit;

/// <summary>Kernels of bfloat16, or why there are none.</summary>
/// <param name="Kernels">The kernels; null where there are none.</param>
/// <param name="Absence">Why, for people.</param>
internal sealed record BrainSupport(BrainKernels? Kernels, string? Absence)
{
    /// <summary>A page mapper: takes code, gives its address.</summary>
    public delegate nint Mapper(ReadOnlySpan<byte> code);

    static readonly Lazy<BrainSupport> s_here = new(() => Assemble(ExecutablePages.Map, BrainInstructions.Native));
    static readonly Lazy<BrainSupport> s_spelledOut = new(() => Assemble(ExecutablePages.Map, BrainInstructions.SpelledOut));

    /// <summary>What this machine has; assembled when first asked for.</summary>
    public static BrainSupport OfThisMachine => s_here.Value;

    /// <summary>The same kernels for every processor with AVX-512, slower than float32: what tests run where there is no AVX512-BF16. No edit ever does.</summary>
    public static BrainSupport SpelledOut => s_spelledOut.Value;

    /// <summary>Whether the processor has AVX512-BF16: leaf 7, subleaf 1, bit 5 of EAX.</summary>
    public static bool HasInstructions =>
        HasAvx512 && X86Base.CpuId(0, 0).Eax >= 7 && X86Base.CpuId(7, 0).Eax >= 1 && (X86Base.CpuId(7, 1).Eax & (1 << 5)) != 0;

    static bool HasAvx512 => RuntimeInformation.ProcessArchitecture == Architecture.X64 && Lanes512.IsSupported;

    /// <summary>Assembles the kernels into pages that a mapper gives.</summary>
    /// <param name="map">Maps code; throws <see cref="PlatformNotSupportedException"/> where it cannot.</param>
    /// <param name="instructions">What they are made of.</param>
    public static BrainSupport Assemble(Mapper map, BrainInstructions instructions)
    {
        if (instructions == BrainInstructions.Native ? !HasInstructions : !HasAvx512)
        {
            return new BrainSupport(null, instructions == BrainInstructions.Native ? "this processor has no AVX512-BF16" : "this processor has no AVX-512");
        }

        try
        {
            return new BrainSupport(BrainKernels.Assemble(map, instructions), null);
        }
        catch (PlatformNotSupportedException e)
        {
            return new BrainSupport(null, e.Message);
        }
    }
}
