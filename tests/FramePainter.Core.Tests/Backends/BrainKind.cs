using FramePainter.Backends.Cpu.Jit;

namespace FramePainter.Core.Tests.Backends;

/// <summary>Which kernels of bfloat16 a test runs on.</summary>
public enum BrainKind
{
    /// <summary>Those of AVX512-BF16 with its instructions spelled out.</summary>
    SpelledOut,

    /// <summary>Those of AMX with its instructions spelled out.</summary>
    SpelledOutMatrices,

    /// <summary>The processor's AVX512-BF16.</summary>
    Vectors,

    /// <summary>The processor's AMX.</summary>
    Matrices,
}

/// <summary>The kernels of each kind.</summary>
internal static class BrainKinds
{
    /// <summary>The kinds that this machine has; spelled-out ones even where it has not, to be skipped by name.</summary>
    public static BrainKind[] All =>
    [
        BrainKind.SpelledOut, BrainKind.SpelledOutMatrices,
        .. BrainSupport.Vectors.Kernels is null ? Array.Empty<BrainKind>() : [BrainKind.Vectors],
        .. BrainSupport.OfThisMachine.Kernels is { Matrices: true } ? [BrainKind.Matrices] : Array.Empty<BrainKind>(),
    ];

    /// <summary>The kernels of a kind; skips the test where there are none.</summary>
    /// <param name="kind">The kind.</param>
    public static BrainSupport Support(BrainKind kind)
    {
        var support = kind switch
        {
            BrainKind.SpelledOut => BrainSupport.SpelledOut,
            BrainKind.SpelledOutMatrices => BrainSupport.SpelledOutMatrices,
            BrainKind.Vectors => BrainSupport.Vectors,
            _ => BrainSupport.OfThisMachine,
        };
        Assert.SkipUnless(support.Kernels is not null, support.Absence ?? "");
        return support;
    }
}
