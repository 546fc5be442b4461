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

    static readonly Lazy<BrainSupport> s_here = new(() => Assemble(ExecutablePages.Map));

    /// <summary>What this machine has; assembled when first asked for.</summary>
    public static BrainSupport OfThisMachine => s_here.Value;

    /// <summary>Whether the processor has AVX512-BF16: leaf 7, subleaf 1, bit 5 of EAX.</summary>
    public static bool HasInstructions =>
        RuntimeInformation.ProcessArchitecture == Architecture.X64 && Lanes512.IsSupported
        && X86Base.CpuId(0, 0).Eax >= 7 && X86Base.CpuId(7, 0).Eax >= 1 && (X86Base.CpuId(7, 1).Eax & (1 << 5)) != 0;

    /// <summary>Assembles the kernels into pages that a mapper gives.</summary>
    /// <param name="map">Maps code; throws <see cref="PlatformNotSupportedException"/> where it cannot.</param>
    public static BrainSupport Assemble(Mapper map)
    {
        if (!HasInstructions)
        {
            return new BrainSupport(null, "this processor has no AVX512-BF16");
        }

        try
        {
            return new BrainSupport(BrainKernels.Assemble(map), null);
        }
        catch (PlatformNotSupportedException e)
        {
            return new BrainSupport(null, e.Message);
        }
    }
}
