using FramePainter.Backends.Cpu.Jit;

namespace FramePainter.Backends.Cpu.Kernels;

/// <summary>Float32 rows by weights widened to float32, multiplied by assembled kernels. AVX-512 only.</summary>
/// <param name="stored">Kernels that read the packed weights' type.</param>
/// <param name="wide">Kernels that read float32: the same where that is the packed type.</param>
/// <param name="pairs">Whether tiles of two panels are wanted.</param>
internal sealed unsafe class AssembledTiles(FloatKernels stored, FloatKernels wide, bool pairs) : TileArithmetic
{
    /// <summary>Widening within the kernel costs a twelfth of it, a pass of its own about two thirds of a tile of one panel.</summary>
    const int FewTiles = 4;

    /// <inheritdoc/>
    public override bool TakesAnyDistance => true;

    /// <inheritdoc/>
    public override void Gather(RowSource source, RowBlock block, int word, int words, float* rows, float* spare) =>
        source.Gather(block.Row, block.Rows, word, words, rows);

    /// <inheritdoc/>
    public override bool Pairs => pairs;

    /// <inheritdoc/>
    public override ReadyPanel Ready(byte* weights, int words, bool narrow, int tiles, byte* spare)
    {
        var kernels = stored;
        if (stored != wide && tiles > FewTiles)
        {
            Widen(weights, words, spare);
            weights = spare;
            kernels = wide;
        }

        return new ReadyPanel((nint)weights, narrow ? kernels.Narrow : kernels.Wide);
    }

    /// <inheritdoc/>
    public override ReadyPanel ReadyPair(byte* first, byte* second, int words, byte* spare)
    {
        if (stored == wide)
        {
            return new ReadyPanel((nint)first, wide.Paired, second - first);
        }

        var distance = (long)words * 2 * Simd.Lanes512.Count * sizeof(float);
        Widen(first, words, spare);
        Widen(second, words, spare + distance);
        return new ReadyPanel((nint)spare, wide.Paired, distance);
    }

    /// <inheritdoc/>
    public override void Sum(ref TileCall call, nint[] kernels, int count) => FloatKernels.Run(kernels[count - 1], call);

    void Widen(byte* weights, int words, byte* to) => FloatKernels.Run(stored.Widen, new TileCall { Panel = weights, Sums = (float*)to, Words = words });
}
