using System.Runtime.InteropServices;

namespace FramePainter.Backends.Cpu.Jit;

/// <summary>What a product kernel is called with: sum (+)= rows × panel. Assembled kernels read it field by field, hence the fixed offsets.</summary>
[StructLayout(LayoutKind.Explicit, Size = 160)]
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

    /// <summary>Memory that a later tile wants: a cache line of it is fetched into the second-level cache with every word, as long as <see cref="Fetches"/> says. Any address is allowed.</summary>
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

    /// <summary>Where the tile will be stored: a row's two cache lines (four for two panels) are fetched to be written, one row with every four words, as long as <see cref="Fetches"/> says. Any address is allowed.</summary>
    [FieldOffset(48)]
    public byte* Output;

    /// <summary>What is added to it there, to be read; <see cref="Output"/> again where nothing is.</summary>
    [FieldOffset(56)]
    public byte* Residual;

    /// <summary>Bytes from one row of these to the next.</summary>
    [FieldOffset(64)]
    public long OutputDistance;

    /// <summary>For so many words, in fours, memory is fetched; 0 for none. Only kernels of <see cref="Kernels.TileArithmetic.TakesAnyDistance"/> do.</summary>
    [FieldOffset(72)]
    public int Fetches;

    /// <summary>What becomes of finished sums. Only kernels of <see cref="Kernels.TileArithmetic.Finishes"/> look at it.</summary>
    [FieldOffset(76)]
    public TileFinish Finish;

    /// <summary>Bytes from the first panel to the second, for kernels of two panels.</summary>
    [FieldOffset(80)]
    public long PanelDistance;

    /// <summary>Bytes from one row of <see cref="Sums"/> to the next. Only kernels of <see cref="Kernels.TileArithmetic.TakesAnyDistance"/> look at it.</summary>
    [FieldOffset(88)]
    public long SumDistance;

    /// <summary>Bytes from the sums of the first panel to those of the second, for kernels of two panels.</summary>
    [FieldOffset(96)]
    public long SumPanelDistance;

    /// <summary>Where kernels that keep the weights write them as float32: those of a second panel behind those of the first.</summary>
    [FieldOffset(104)]
    public byte* Kept;

    /// <summary>A row by which each row of sums is multiplied.</summary>
    [FieldOffset(112)]
    public float* ColumnScales;

    /// <summary>A row that is added to each row of sums.</summary>
    [FieldOffset(120)]
    public float* Bias;

    /// <summary>Another.</summary>
    [FieldOffset(128)]
    public float* Added;

    /// <summary>The first row of what is added to the scaled sums besides <see cref="Residual"/>, as far apart.</summary>
    [FieldOffset(136)]
    public float* SecondResidual;

    /// <summary>Factor of the sums.</summary>
    [FieldOffset(144)]
    public float Scale;

    /// <summary>Factor of <see cref="Residual"/>.</summary>
    [FieldOffset(148)]
    public float ResidualScale;

    /// <summary>Factor of <see cref="SecondResidual"/>.</summary>
    [FieldOffset(152)]
    public float SecondResidualScale;
}

/// <summary>What a kernel does with finished sums while they are in its registers, in this order.</summary>
[Flags]
internal enum TileFinish
{
    /// <summary>They go to <see cref="TileCall.Sums"/>.</summary>
    None = 0,

    /// <summary>They are multiplied by <see cref="TileCall.ColumnScales"/>.</summary>
    ColumnScales = 1,

    /// <summary><see cref="TileCall.Bias"/> is added.</summary>
    Bias = 2,

    /// <summary><see cref="TileCall.Added"/> is added.</summary>
    Added = 4,

    /// <summary>They are multiplied by <see cref="TileCall.Scale"/>.</summary>
    Scale = 8,

    /// <summary><see cref="TileCall.Residual"/> times its factor is added.</summary>
    Residual = 16,

    /// <summary><see cref="TileCall.SecondResidual"/> times its factor is added.</summary>
    SecondResidual = 32,

    /// <summary>They go to <see cref="TileCall.Output"/>, a register beside the other.</summary>
    Output = 64,
}
