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

    static readonly Lazy<BrainSupport> s_vectors = new(() => Assemble(ExecutablePages.Map, BrainInstructions.Native));
    static readonly Lazy<BrainSupport> s_matrices = new(() => Assemble(ExecutablePages.Map, BrainInstructions.Native, MatrixInstructions.Native));
    static readonly Lazy<BrainSupport> s_spelledOut = new(() => Assemble(ExecutablePages.Map, BrainInstructions.SpelledOut));
    static readonly Lazy<BrainSupport> s_spelledOutMatrices = new(() => Assemble(ExecutablePages.Map, BrainInstructions.SpelledOut, MatrixInstructions.SpelledOut));

    /// <summary>AMX where the processor has it, the system grants it and the environment does not turn it off; else AVX512-BF16. Assembled when first asked for.</summary>
    public static BrainSupport OfThisMachine => MatrixPermission.Granted && s_matrices.Value.Kernels is not null ? s_matrices.Value : s_vectors.Value;

    /// <summary>AVX512-BF16 of this machine, even where it has AMX.</summary>
    public static BrainSupport Vectors => s_vectors.Value;

    /// <summary>The same kernels for every processor with AVX-512, slower than float32: what tests run where there is no AVX512-BF16. No edit ever does.</summary>
    public static BrainSupport SpelledOut => s_spelledOut.Value;

    /// <summary>The kernels of AMX for every Linux on a processor with AVX-512, slower still: for tests alone.</summary>
    public static BrainSupport SpelledOutMatrices => s_spelledOutMatrices.Value;

    /// <summary>Whether the processor has AVX512-BF16: leaf 7, subleaf 1, bit 5 of EAX.</summary>
    public static bool HasInstructions =>
        HasAvx512 && X86Base.CpuId(0, 0).Eax >= 7 && X86Base.CpuId(7, 0).Eax >= 1 && (X86Base.CpuId(7, 1).Eax & (1 << 5)) != 0;

    static bool HasAvx512 => RuntimeInformation.ProcessArchitecture == Architecture.X64 && Lanes512.IsSupported;

    /// <summary>Assembles the kernels into pages that a mapper gives.</summary>
    /// <param name="map">Maps code; throws <see cref="PlatformNotSupportedException"/> where it cannot.</param>
    /// <param name="instructions">What those of AVX512-BF16 are made of.</param>
    /// <param name="matrices">What those of AMX are made of, where they take the others' place: <see cref="MatrixPermission"/> is there for the processor's own.</param>
    public static BrainSupport Assemble(Mapper map, BrainInstructions instructions, MatrixInstructions? matrices = null)
    {
        if (instructions == BrainInstructions.Native ? !HasInstructions : !HasAvx512)
        {
            return new BrainSupport(null, instructions == BrainInstructions.Native ? "this processor has no AVX512-BF16" : "this processor has no AVX-512");
        }

        if (matrices is not null && !OperatingSystem.IsLinux())
        {
            return new BrainSupport(null, "kernels of AMX are for Linux");
        }

        try
        {
            return new BrainSupport(BrainKernels.Assemble(map, instructions, matrices), null);
        }
        catch (PlatformNotSupportedException e)
        {
            return new BrainSupport(null, e.Message);
        }
    }
}
