using FramePainter.Backends.Cpu.Jit;

namespace FramePainter.Backends.Cpu.Kernels;

/// <summary>Float32 rows by weights widened to float32, multiplied by assembled kernels. AVX-512 only.</summary>
/// <param name="stored">Kernels that read the packed weights' type.</param>
/// <param name="wide">Kernels that read float32: the same where that is the packed type.</param>
internal sealed unsafe class AssembledTiles(FloatKernels stored, FloatKernels wide) : TileArithmetic
{
    /// <summary>Widening within the kernel costs a twelfth of it, a pass of its own about two thirds of a tile of one panel.</summary>
    const int FewTiles = 4;

    /// <inheritdoc/>
    public override bool TakesAnyDistance => true;

    /// <inheritdoc/>
    public override void Gather(RowSource source, RowBlock block, int word, int words, float* rows, float* spare) =>
        source.Gather(block.Row, block.Rows, word, words, rows);

    /// <inheritdoc/>
    public override ReadyPanel Ready(byte* weights, int words, bool narrow, int tiles, byte* spare)
    {
        var kernels = stored;
        if (stored != wide && tiles > FewTiles)
        {
            var call = new TileCall { Panel = weights, Sums = (float*)spare, Words = words };
            ((delegate* unmanaged<TileCall*, void>)stored.Widen)(&call);
            weights = spare;
            kernels = wide;
        }

        return new ReadyPanel((nint)weights, narrow ? kernels.Narrow : kernels.Wide);
    }

    /// <inheritdoc/>
    public override void Sum(ref TileCall call, nint[] kernels, int count)
    {
        fixed (TileCall* pinned = &call)
        {
            ((delegate* unmanaged<TileCall*, void>)kernels[count - 1])(pinned);
        }
    }
}
