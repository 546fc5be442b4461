using System.Runtime.Intrinsics;

namespace FramePainter.Backends.Cpu.Simd;

/// <summary>Which instructions the kernels are made of.</summary>
internal enum InstructionPath
{
    /// <summary>No vectors.</summary>
    Scalar,

    /// <summary>128-bit vectors: NEON, SSE.</summary>
    Vector128,

    /// <summary>256-bit vectors: AVX2 with FMA.</summary>
    Avx2,

    /// <summary>512-bit vectors: AVX-512 F, BW, DQ, VL.</summary>
    Avx512,
}

/// <summary>Makes something that is generic over the lanes of a path.</summary>
/// <typeparam name="T">What is made.</typeparam>
internal interface ILanesFactory<out T>
{
    T Create<L, V>()
        where L : struct, ILanes<V>
        where V : struct;
}

/// <summary>What this processor has.</summary>
internal static class InstructionPaths
{
    /// <summary>The widest path that this processor runs.</summary>
    public static InstructionPath Best { get; } = Enum.GetValues<InstructionPath>().Last(IsSupported);

    public static bool IsSupported(InstructionPath path) => path switch
    {
        InstructionPath.Avx512 => Lanes512.IsSupported,
        InstructionPath.Avx2 => Lanes256.IsSupported,
        InstructionPath.Vector128 => Lanes128.IsSupported,
        _ => true,
    };

    /// <summary>Calls a factory with the lanes of a path.</summary>
    /// <exception cref="PlatformNotSupportedException">This processor lacks the instructions.</exception>
    public static T Create<T>(InstructionPath path, ILanesFactory<T> factory)
    {
        if (!IsSupported(path))
        {
            throw new PlatformNotSupportedException($"This processor does not have the instructions of {path}; its widest path is {Best}.");
        }

        return path switch
        {
            InstructionPath.Avx512 => factory.Create<Lanes512, Vector512<float>>(),
            InstructionPath.Avx2 => factory.Create<Lanes256, Vector256<float>>(),
            InstructionPath.Vector128 => factory.Create<Lanes128, Vector128<float>>(),
            _ => factory.Create<Lanes1, float>(),
        };
    }
}
