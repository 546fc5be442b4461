using FramePainter.Backends.Cpu.Jit;
using FramePainter.Backends.Cpu.Simd;

namespace FramePainter.Backends.Cpu.Kernels;

/// <summary>Float32 rows by weights widened to float32, multiplied by assembled kernels. Tiles of two panels are of AVX-512 only.</summary>
/// <param name="stored">Kernels that read the packed weights' type.</param>
/// <param name="wide">Kernels that read float32: the same where that is the packed type.</param>
/// <param name="form">What tiles are like.</param>
internal sealed unsafe class AssembledTiles(FloatKernels stored, FloatKernels wide, TileForm form) : TileArithmetic(wide.Wide.Length)
{
    /// <inheritdoc/>
    public override int Rows => Pairs ? Blocking.PairedRows : Blocking.Rows;

    /// <inheritdoc/>
    public override int Columns => Pairs ? Blocking.ColumnsInPlace : Blocking.Columns;

    /// <inheritdoc/>
    public override bool TakesAnyDistance => true;

    /// <inheritdoc/>
    public override bool Finishes => true;

    /// <inheritdoc/>
    public override bool ReadsInPlace => true;

    /// <inheritdoc/>
    public override void Gather(RowSource source, RowBlock block, int word, int words, float* rows, int distance, float* stage) =>
        source.Gather(block.Row, block.Rows, word, words, rows);

    /// <inheritdoc/>
    public override bool Pairs => form == TileForm.TwoPanels;

    /// <inheritdoc/>
    public override ReadyPanels Ready(byte* weights, int words, bool narrow, int tiles, byte* spare)
    {
        var first = new ReadyPanel((nint)weights, narrow ? stored.Narrow : stored.Wide);
        return stored == wide || tiles == 1 || form == TileForm.OnePanelWidening ? new ReadyPanels(first)
            : new ReadyPanels(first with { Kernels = narrow ? stored.Keeping.Narrow : stored.Keeping.Wide }, new ReadyPanel((nint)spare, narrow ? wide.Narrow : wide.Wide));
    }

    /// <inheritdoc/>
    public override ReadyPanels ReadyPair(byte* first, byte* second, int words, byte* spare) =>
        stored == wide ? new ReadyPanels(new ReadyPanel((nint)first, wide.Paired, second - first))
        : new ReadyPanels(new ReadyPanel((nint)first, stored.Keeping.Paired, second - first), new ReadyPanel((nint)spare, wide.Paired, (long)words * 2 * Lanes512.Count * sizeof(float)));

    /// <inheritdoc/>
    public override void Sum(TileCall* call, nint[] kernels, int count) => FloatKernels.Run(kernels[count - 1], call);
}
