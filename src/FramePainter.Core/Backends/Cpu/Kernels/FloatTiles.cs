using System.Runtime.CompilerServices;
using FramePainter.Backends.Cpu.Jit;
using FramePainter.Backends.Cpu.Simd;
using FramePainter.Tensors;

namespace FramePainter.Backends.Cpu.Kernels;

/// <summary>Float32 rows by weights widened to float32.</summary>
/// <param name="type">Type of the packed weights.</param>
internal sealed unsafe class FloatTiles<L, V>(DType type) : TileArithmetic(L.TileRows)
    where L : struct, ILanes<V>
    where V : struct
{
    /// <inheritdoc/>
    public override void Gather(RowSource source, RowBlock block, int word, int words, float* rows, int distance, float* stage) =>
        source.Gather(block.Row, block.Rows, word, words, rows);

    /// <inheritdoc/>
    public override ReadyPanels Ready(byte* weights, int words, bool narrow, int tiles, byte* spare)
    {
        // Widening a whole panel first is not worth it for one or two tiles of rows; no kernel reads bytes.
        var stored = type == DType.F32;
        var direct = stored || (tiles <= 2 && !narrow && type != DType.I8);
        if (!direct)
        {
            Widen(weights, words, (float*)spare);
            weights = spare;
        }

        return new ReadyPanels(new ReadyPanel((nint)weights, narrow ? MicroKernels<L, V>.Narrow : direct ? MicroKernels<L, V>.Direct(type) : MicroKernels<L, V>.Wide));
    }

    /// <inheritdoc/>
    public override void Sum(TileCall* call, nint[] kernels, int count) =>
        ((delegate*<float*, byte*, int, float*, bool, void>)kernels[count - 1])(call->Rows, call->Panel, call->Words, call->Sums, call->Accumulate != 0);

    void Widen(byte* source, int inputs, float* destination)
    {
        switch (type)
        {
            case DType.F16:
                Widen<ReadF16<L, V>>(source, inputs, destination);
                break;
            case DType.BF16:
                Widen<ReadBF16<L, V>>(source, inputs, destination);
                break;
            default:
                Widen<ReadI8<L, V>>(source, inputs, destination);
                break;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    static void Widen<W>(byte* source, int inputs, float* destination)
        where W : struct, IWeightReader<V>
    {
        for (var i = 0; i < inputs; i++)
        {
            L.Store(destination, W.Load(source));
            L.Store(destination + L.Count, W.Load(source + (L.Count * W.Size)));
            destination += 2 * L.Count;
            source += 2 * L.Count * W.Size;
        }
    }
}
