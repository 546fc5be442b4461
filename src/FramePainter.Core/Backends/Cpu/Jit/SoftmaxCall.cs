using System.Runtime.InteropServices;

namespace FramePainter.Backends.Cpu.Jit;

/// <summary>What the softmax of a strip of scores is called with. The assembled kernel reads it field by field, hence the fixed offsets.</summary>
[StructLayout(LayoutKind.Explicit, Size = 32)]
internal unsafe struct SoftmaxCall
{
    /// <summary>As many rows of scores as the kernel takes, exponents of 2, <see cref="FloatKernels.StripStride"/> floats apart; become probabilities about each row's greatest score, floats or, from each row's beginning on, pairs of bfloat16.</summary>
    [FieldOffset(0)]
    public float* Strip;

    /// <summary>Each row's greatest score before; receives the greatest with these.</summary>
    [FieldOffset(8)]
    public float* Largest;

    /// <summary>Receives each row's sum of these probabilities.</summary>
    [FieldOffset(16)]
    public float* Sums;

    /// <summary>Scores of a row, at least 1. Those behind them, up to a multiple of <see cref="FloatKernels.SoftmaxKeys"/>, are read and written too and should be −∞.</summary>
    [FieldOffset(24)]
    public int Keys;
}
