using FramePainter.Backends.Cpu.Jit;

namespace FramePainter.Core.Tests.Backends;

/// <summary>Kernels of bfloat16.</summary>
public enum BrainKind
{
    /// <summary>Of AVX512-BF16.</summary>
    Vectors,

    /// <summary>Of AMX.</summary>
    Matrices,
}

/// <summary>Where tests find them.</summary>
internal static class BrainKinds
{
    /// <summary>The processor's own where it has them, else with their instructions spelled out in AVX-512; skips the test where there is not even that.</summary>
    /// <param name="kind">Which kernels.</param>
    public static BrainSupport Support(BrainKind kind)
    {
        var support = kind == BrainKind.Vectors
            ? BrainSupport.Vectors.Kernels is not null ? BrainSupport.Vectors : BrainSupport.SpelledOut
            : BrainSupport.OfThisMachine.Kernels is { Matrices: true } ? BrainSupport.OfThisMachine : BrainSupport.SpelledOutMatrices;
        Assert.SkipUnless(support.Kernels is not null, support.Absence ?? "");
        return support;
    }
}
