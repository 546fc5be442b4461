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
internal sealed unsafe class PairedAttention(AttentionOp op, FloatKernels kernels) : AttentionKernel(op, new AttentionShape(op.HeadDim, StripRows, Width, MostKeys))
{
    const int MostKeys = FloatKernels.StripKeys;
    const int StripRows = FloatKernels.PairedRows;
    const int StripStride = FloatKernels.StripStride;

    /// <summary>Columns of a panel: two registers.</summary>
    const int Width = 32;

    /// <summary>Queries are fetched so many rows before they are read.</summary>
    const int QueriesAhead = 8;

    /// <inheritdoc/>
    protected override long ScratchFloats(int strips) => Shape.ScratchFloats(strips, StripRows * StripStride);

    /// <inheritdoc/>
    protected override void Attend(in AttentionBlock block, float* memory)
    {
        var (set, query, count, firstKey, channel) = block;
        var scratch = new AttentionScratch(Shape, memory, (count + StripRows - 1) / StripRows, StripRows * StripStride);
        var ahead = new RowsAhead(Shape.Dim * sizeof(float));
        var (keys, values, outputs) = (set.Key.From(channel), set.Value.From(channel), set.Output.From(channel));
        ahead.Begin(keys, values, firstKey, Math.Min(Shape.Keys, set.KeyTokens), count);
        LoadQueries(set.Query.From(channel), query, count, scratch, ref ahead);
        for (var key = 0; key < set.KeyTokens; key += Shape.Keys)
        {
            var some = Math.Min(Shape.Keys, set.KeyTokens - key);
            AttentionPanels<Lanes512, Vector512<float>>.LoadKeys(Shape, keys, firstKey + key, some, scratch.Keys);
            AttentionPanels<Lanes512, Vector512<float>>.LoadValues(Shape, values, firstKey + key, some, scratch.Values);

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

        for (var row = 0; row < count; row++)
        {
            Pointwise.Scale<Lanes512, Vector512<float>>(scratch.Output + (row * Shape.PaddedDim), 1 / scratch.Sums[row], outputs[query + row], Shape.Dim);
        }
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
        var (query, first) = (strip * StripRows * Shape.Dim, strip * StripRows);
        var whole = keys / (2 * Width) * 2 * Width;
        for (var column = 0; column < keys; column += 2 * Width)
        {
            ahead.Fetch();
            if (column == whole)
            {
                LeaveOut(scratch.Strip + column, StripRows, StripStride, keys - column, 2 * Width);
            }

            Multiply(scratch.Queries + query, Shape.Dim, Shape.Dim, scratch.Keys, column, keys, Shape.Dim, scratch.Strip, StripStride, column == whole);
        }

        ahead.Fetch();
        var output = scratch.Output + (first * Shape.PaddedDim);
        var before = stackalloc float[StripRows];
        var sums = stackalloc float[StripRows];
        Pointwise.Copy(scratch.Largest + first, before, StripRows);
        var softmax = new SoftmaxCall { Strip = scratch.Strip, Largest = scratch.Largest + first, Sums = sums, Keys = keys };
        ((delegate* unmanaged[SuppressGCTransition]<SoftmaxCall*, void>)kernels.Softmax)(&softmax);
        for (var row = 0; row < StripRows; row++)
        {
            var (at, correction) = (first + row, 1f);
            if (scratch.Largest[at] != before[row])
            {
                correction = Correction(before[row], scratch.Largest[at]);
                Pointwise.Scale<Lanes512, Vector512<float>>(output + (row * Shape.PaddedDim), correction, output + (row * Shape.PaddedDim), Shape.PaddedDim);
            }

            scratch.Sums[at] = (scratch.Sums[at] * correction) + sums[row];
        }

        for (var column = 0; column < Shape.Dim; column += 2 * Width)
        {
            Multiply(scratch.Strip, StripStride, keys, scratch.Values, column, Shape.Dim, Shape.Keys, output, Shape.PaddedDim, true);
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
    /// <param name="sums">The strip's sums.</param>
    /// <param name="sumDistance">Floats from one row of them to the next.</param>
    /// <param name="accumulate">Adds to what is there.</param>
    void Multiply(float* rows, int distance, int depth, float* panels, int column, int columns, int panelRows, float* sums, int sumDistance, bool accumulate)
    {
        var call = new TileCall
        {
            Rows = rows, Distance = distance * sizeof(float), Words = depth,
            Panel = (byte*)(panels + ((long)column * panelRows)), PanelDistance = (long)Width * panelRows * sizeof(float),
            Sums = sums + column, SumDistance = sumDistance * sizeof(float), SumPanelDistance = Width * sizeof(float), Accumulate = accumulate ? 1 : 0,
        };
        var kernel = (columns - column) switch { > Width => kernels.Paired, > Width / 2 => kernels.Wide, _ => kernels.Narrow };
        FloatKernels.Run(kernel[StripRows - 1], &call);
    }
}
