using System.Runtime.InteropServices;

namespace FramePainter.Backends.Cpu.Jit;

/// <summary>What the softmax of a strip of scores is called with. The assembled kernel reads it field by field, hence the fixed offsets.</summary>
[StructLayout(LayoutKind.Explicit, Size = 40)]
internal unsafe struct SoftmaxCall
{
    /// <summary>Scores: tiles of <see cref="FloatKernels.PairedRows"/> rows by 32 columns, exponents of 2.</summary>
    [FieldOffset(0)]
    public float* Scores;

    /// <summary>Receives probabilities about the greatest score, in rows.</summary>
    [FieldOffset(8)]
    public float* Rows;

    /// <summary>Each row's greatest score before; receives the greatest with these.</summary>
    [FieldOffset(16)]
    public float* Largest;

    /// <summary>Receives each row's sum of these probabilities.</summary>
    [FieldOffset(24)]
    public float* Sums;

    /// <summary>Tiles of scores, at least 1; columns without a key are −∞.</summary>
    [FieldOffset(32)]
    public int Tiles;
}
