using System.Runtime.InteropServices;

namespace FramePainter.Backends.Cpu.Jit;

/// <summary>What a product kernel is called with: sum (+)= rows × panel. Assembled kernels read it field by field, hence the fixed offsets.</summary>
[StructLayout(LayoutKind.Explicit, Size = 48)]
internal unsafe struct TileCall
{
    /// <summary>The first word of the first row.</summary>
    [FieldOffset(0)]
    public float* Rows;

    /// <summary>The first word of the panel: two registers of columns a word.</summary>
    [FieldOffset(8)]
    public byte* Panel;

    /// <summary>Float32 sums, two registers a row.</summary>
    [FieldOffset(16)]
    public float* Sums;

    /// <summary>Memory that the next tile wants: some kernels fetch a cache line of it with every word. Any address is allowed.</summary>
    [FieldOffset(24)]
    public byte* Ahead;

    /// <summary>Bytes from one row to the next. Only kernels of <see cref="Kernels.TileArithmetic.TakesAnyDistance"/> look at it.</summary>
    [FieldOffset(32)]
    public long Distance;

    /// <summary>Words of a row, at least 1.</summary>
    [FieldOffset(40)]
    public int Words;

    /// <summary>1 to add to what <see cref="Sums"/> holds, 0 to overwrite it.</summary>
    [FieldOffset(44)]
    public int Accumulate;
}
