namespace FramePainter.Backends.Cpu.Simd;

/// <summary>How a register tile finds the numbers that it multiplies by whole registers: element (row, k) is at <c>row·Row + k·Step</c>. Constants, so that addresses are displacements.</summary>
internal interface ITileLayout
{
    static abstract int Row { get; }

    static abstract int Step { get; }
}
