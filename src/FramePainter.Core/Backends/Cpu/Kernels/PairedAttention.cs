using System.Runtime.Intrinsics;
using FramePainter.Backends.Cpu.Jit;
using FramePainter.Backends.Cpu.Simd;
using FramePainter.Graphs;

namespace FramePainter.Backends.Cpu.Kernels;

/// <summary>
/// Attention in float32 on assembled kernels of six rows by two panels: six queries by 64 keys, then by 64 channels, a whole head of the networks. AVX-512 only.
/// </summary>
/// <param name="op">The op.</param>
/// <param name="kernels">The assembled kernels that read float32.</param>
internal sealed unsafe class PairedAttention(AttentionOp op, FloatKernels kernels) : TiledAttention(op, new AttentionShape(op.HeadDim, StripRows, Width, MostKeys))
{
    const int StripRows = FloatKernels.PairedRows;
    const int TileFloats = StripRows * Width;

    /// <summary>Floats from one row of probabilities to the next: no multiple of a page of the first-level cache's sets, or rows of a strip would evict each other.</summary>
    const int RowStride = MostKeys + 16;

    /// <summary>Scores of a strip, a tile for each panel of keys.</summary>
    const int ScoreFloats = MostKeys / Width * TileFloats;

    const int StripFloats = ScoreFloats + (StripRows * RowStride);

    /// <inheritdoc/>
    protected override long ScratchFloats(int strips) => Shape.ScratchFloats(strips, StripFloats);

    /// <inheritdoc/>
    protected override void Attend(in AttentionBlock block, float* memory)
    {
        var (set, query, count, firstKey, channel) = block;
        var scratch = new AttentionScratch(Shape, memory, (count + StripRows - 1) / StripRows, StripFloats);
        LoadQueries(set.Query, query, channel, count, scratch);
        for (var key = 0; key < set.KeyTokens; key += Shape.Keys)
        {
            var some = Math.Min(Shape.Keys, set.KeyTokens - key);
            AttentionPanels<Lanes512, Vector512<float>>.LoadKeys(Shape, set.Key, firstKey + key, channel, some, scratch.Keys);
            AttentionPanels<Lanes512, Vector512<float>>.LoadValues(Shape, set.Value, firstKey + key, channel, some, scratch.Values);
            for (var strip = 0; strip < scratch.Strips; strip++)
            {
                Attend(strip, some, scratch);
            }
        }

        Store(set.Output, query, channel, count, scratch.Output, scratch.Sums);
    }

    // Rows beyond the last query are zero.
    void LoadQueries(Rows query, long first, int channel, int count, in AttentionScratch scratch)
    {
        for (var row = 0; row < count; row++)
        {
            Pointwise.Scale<Lanes512, Vector512<float>>(query[first + row] + channel, Shape.Scale, scratch.Queries + (row * Shape.Dim), Shape.Dim);
        }

        new Span<float>(scratch.Queries + (count * Shape.Dim), ((scratch.Strips * StripRows) - count) * Shape.Dim).Clear();
        scratch.Begin(Shape);
    }

    void Attend(int strip, int keys, in AttentionScratch scratch)
    {
        var queries = scratch.Queries + (strip * StripRows * Shape.Dim);
        var scores = scratch.Strip;
        var rows = scores + ScoreFloats;
        var tail = keys % Width;
        if (tail > 0)
        {
            // Panels of a pair begin alike: both with what is there.
            var last = keys / Width;
            LeaveOut(scores + (last * TileFloats), StripRows, tail);
            if (last % 2 > 0)
            {
                new Span<float>(scores + ((last - 1) * TileFloats), TileFloats).Clear();
            }
        }

        for (var column = 0; column < keys; column += 2 * Width)
        {
            Multiply(queries, Shape.Dim, Shape.Dim, scratch.Keys, column, keys, Shape.Dim, scores, column + (2 * Width) > keys && tail > 0);
        }

        var output = scratch.Output + (strip * StripRows * Shape.PaddedDim);
        for (var row = 0; row < StripRows; row++)
        {
            var at = (strip * StripRows) + row;
            Raise(scores + (row * Width), keys, output + (row * Width), ref scratch.Largest[at], ref scratch.Sums[at]);
            scratch.Sums[at] += Exponentiate(scores + (row * Width), keys, scratch.Largest[at], rows + (row * RowStride));
        }

        for (var column = 0; column < Shape.Dim; column += 2 * Width)
        {
            Multiply(rows, RowStride, keys, scratch.Values, column, Shape.Dim, Shape.Keys, output, true);
        }
    }

    /// <summary>A strip by two panels, or by the one that is left: sums (+)= rows × panels.</summary>
    /// <param name="rows">The strip's rows.</param>
    /// <param name="distance">Floats from one to the next.</param>
    /// <param name="depth">Products of each sum.</param>
    /// <param name="panels">All panels.</param>
    /// <param name="column">The first column wanted.</param>
    /// <param name="columns">Columns of all.</param>
    /// <param name="panelRows">Rows that a panel has room for.</param>
    /// <param name="sums">Tiles of all columns.</param>
    /// <param name="accumulate">Adds to what is there.</param>
    void Multiply(float* rows, int distance, int depth, float* panels, int column, int columns, int panelRows, float* sums, bool accumulate)
    {
        var call = new TileCall
        {
            Rows = rows, Distance = distance * sizeof(float), Words = depth, Panel = (byte*)(panels + ((long)column * panelRows)), PanelDistance = (long)Width * panelRows * sizeof(float),
            Sums = sums + (column / Width * TileFloats), Accumulate = accumulate ? 1 : 0,
        };
        var kernel = (columns - column) switch { > Width => kernels.Paired, > Width / 2 => kernels.Wide, _ => kernels.Narrow };
        ((delegate* unmanaged<TileCall*, void>)kernel[StripRows - 1])(&call);
    }

    // Two registers at a time: the chains of both exponentials overlap. Columns behind the last key are −∞ and become 0.
    static float Exponentiate(float* scores, int count, float largest, float* row)
    {
        var shift = Lanes512.Create(largest);
        var (sum, sum2) = (Lanes512.Zero, Lanes512.Zero);
        for (var i = 0; i < count; i += Width, scores += TileFloats, row += Width)
        {
            var x = ScoreExponential<Lanes512, Vector512<float>>.Of(Lanes512.Load(scores) - shift);
            var y = ScoreExponential<Lanes512, Vector512<float>>.Of(Lanes512.Load(scores + Lanes512.Count) - shift);
            Lanes512.Store(row, x);
            Lanes512.Store(row + Lanes512.Count, y);
            (sum, sum2) = (sum + x, sum2 + y);
        }

        return Lanes512.Sum(sum + sum2);
    }
}
