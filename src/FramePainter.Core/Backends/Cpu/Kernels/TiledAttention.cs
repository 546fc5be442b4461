using System.Runtime.Intrinsics;
using FramePainter.Backends.Cpu.Simd;
using FramePainter.Graphs;

namespace FramePainter.Backends.Cpu.Kernels;

/// <summary>What attention on assembled kernels shares: their sums lie in tiles, one for each panel of 32 columns, row behind row. AVX-512 only.</summary>
/// <param name="op">The op.</param>
/// <param name="shape">Tile sizes.</param>
internal abstract unsafe class TiledAttention(AttentionOp op, AttentionShape shape) : AttentionKernel(op, shape)
{
    /// <summary>Columns of a panel and of a tile of sums: two registers.</summary>
    public const int Width = 32;

    /// <summary>Most keys of a tile of keys.</summary>
    protected const int MostKeys = 256;

    readonly int _tileFloats = shape.TileRows * Width;

    /// <summary>What sums of a partly filled panel begin with: keys that are not there score −∞.</summary>
    /// <param name="tile">The panel's sums.</param>
    /// <param name="rows">Rows of it.</param>
    /// <param name="keys">Keys that are there.</param>
    protected static void LeaveOut(float* tile, int rows, int keys)
    {
        for (var row = 0; row < rows; row++, tile += Width)
        {
            new Span<float>(tile, keys).Clear();
            new Span<float>(tile + keys, Width - keys).Fill(float.NegativeInfinity);
        }
    }

    /// <summary>A query's greatest score rose: what was summed about the old one is made to count about the new one.</summary>
    /// <param name="outputs">Its weighted values in the first tile of them.</param>
    /// <param name="correction">What the old sums count.</param>
    /// <param name="sum">The sum of its probabilities.</param>
    protected void Correct(float* outputs, float correction, ref float sum)
    {
        sum *= correction;
        for (var column = 0; column < Shape.Dim; column += Width, outputs += _tileFloats)
        {
            Pointwise.Scale<Lanes512, Vector512<float>>(outputs, correction, outputs, Width);
        }
    }

    /// <summary>Divides weighted values by their sums of probabilities.</summary>
    /// <param name="output">Where outputs go.</param>
    /// <param name="first">The first of them.</param>
    /// <param name="channel">The head's first channel.</param>
    /// <param name="count">How many queries.</param>
    /// <param name="values">Weighted values, tiles for each strip.</param>
    /// <param name="sums">Sums of probabilities.</param>
    protected void Store(Rows output, long first, int channel, int count, float* values, float* sums)
    {
        for (var row = 0; row < count; row++)
        {
            var (strip, within) = Math.DivRem(row, Shape.TileRows);
            var from = values + (strip * Shape.TileRows * Shape.PaddedDim) + (within * Width);
            for (var column = 0; column < Shape.Dim; column += Width, from += _tileFloats)
            {
                Pointwise.Scale<Lanes512, Vector512<float>>(from, 1 / sums[row], output[first + row] + channel + column, Math.Min(Width, Shape.Dim - column));
            }
        }
    }
}
