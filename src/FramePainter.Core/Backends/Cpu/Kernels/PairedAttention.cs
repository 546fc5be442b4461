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

    /// <summary>Queries are fetched so many rows before they are read.</summary>
    const int QueriesAhead = 8;

    /// <summary>Scores of a strip, a tile for each panel of keys.</summary>
    const int ScoreFloats = MostKeys / Width * TileFloats;

    const int StripFloats = ScoreFloats + (StripRows * FloatKernels.SoftmaxRow);

    /// <inheritdoc/>
    protected override long ScratchFloats(int strips) => Shape.ScratchFloats(strips, StripFloats);

    /// <inheritdoc/>
    protected override void Attend(in AttentionBlock block, float* memory)
    {
        var (set, query, count, firstKey, channel) = block;
        var scratch = new AttentionScratch(Shape, memory, (count + StripRows - 1) / StripRows, StripFloats);
        var ahead = new RowsAhead(Shape.Dim * sizeof(float));
        var (keys, values, outputs) = (set.Key.From(channel), set.Value.From(channel), set.Output.From(channel));
        ahead.Begin(keys, values, firstKey, Math.Min(Shape.Keys, set.KeyTokens), count);
        LoadQueries(set.Query.From(channel), query, count, scratch, ref ahead);
        for (var key = 0; key < set.KeyTokens; key += Shape.Keys)
        {
            var some = Math.Min(Shape.Keys, set.KeyTokens - key);
            AttentionPanels<Lanes512, Vector512<float>>.LoadKeys(Shape, set.Key, firstKey + key, channel, some, scratch.Keys);
            AttentionPanels<Lanes512, Vector512<float>>.LoadValues(Shape, set.Value, firstKey + key, channel, some, scratch.Values);

            // What the next tile of keys wants, or the end, arrives meanwhile.
            var turns = scratch.Strips * ((some / (2 * Width)) + 1);
            var left = set.KeyTokens - key - some;
            if (left > 0)
            {
                ahead.Begin(keys, values, firstKey + key + some, Math.Min(Shape.Keys, left), turns);
            }
            else
            {
                ahead.Begin(outputs, outputs, query, count, turns);
            }

            for (var strip = 0; strip < scratch.Strips; strip++)
            {
                Attend(strip, some, scratch, ref ahead);
            }
        }

        Store(set.Output, query, channel, count, scratch.Output, scratch.Sums);
    }

    // Rows beyond the last query are zero.
    void LoadQueries(Rows query, long first, int count, in AttentionScratch scratch, ref RowsAhead ahead)
    {
        for (var row = 0; row < count; row++)
        {
            Prefetch.Far(query[first + Math.Min(row + QueriesAhead, count - 1)], Shape.Dim * sizeof(float));
            ahead.Fetch();
            Pointwise.Scale<Lanes512, Vector512<float>>(query[first + row], Shape.Scale, scratch.Queries + (row * Shape.Dim), Shape.Dim);
        }

        new Span<float>(scratch.Queries + (count * Shape.Dim), ((scratch.Strips * StripRows) - count) * Shape.Dim).Clear();
        scratch.Begin(Shape);
    }

    void Attend(int strip, int keys, in AttentionScratch scratch, ref RowsAhead ahead)
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
            ahead.Fetch();
            Multiply(queries, Shape.Dim, Shape.Dim, scratch.Keys, column, keys, Shape.Dim, scores, column + (2 * Width) > keys && tail > 0);
        }

        var output = scratch.Output + (strip * StripRows * Shape.PaddedDim);
        var before = stackalloc float[StripRows];
        var sums = stackalloc float[StripRows];
        var largest = scratch.Largest + (strip * StripRows);
        Pointwise.Copy(largest, before, StripRows);
        var softmax = new SoftmaxCall { Scores = scores, Rows = rows, Largest = largest, Sums = sums, Tiles = (keys + Width - 1) / Width };
        ((delegate* unmanaged<SoftmaxCall*, void>)kernels.Softmax)(&softmax);
        for (var row = 0; row < StripRows; row++)
        {
            ref var sum = ref scratch.Sums[(strip * StripRows) + row];
            if (largest[row] != before[row])
            {
                Correct(output + (row * Width), Correction(before[row], largest[row]), ref sum);
            }

            sum += sums[row];
        }

        ahead.Fetch();
        for (var column = 0; column < Shape.Dim; column += 2 * Width)
        {
            Multiply(rows, FloatKernels.SoftmaxRow, keys, scratch.Values, column, Shape.Dim, Shape.Keys, output, true);
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
}
