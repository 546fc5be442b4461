using FramePainter.Backends.Cpu.Simd;
using FramePainter.Graphs;

namespace FramePainter.Backends.Cpu.Kernels;

/// <summary>
/// Attention in float32: keys are turned into panels of two registers' width and values copied into panels alike. Both products are the same register tile.
/// </summary>
internal sealed unsafe class FloatAttention<L, V>(AttentionOp op) : AttentionKernel(op, new AttentionShape(op.HeadDim, L.TileRows, 2 * L.Count, MostKeys))
    where L : struct, ILanes<V>
    where V : struct
{
    const int MostKeys = 256;

    // Not a multiple of a page of the first-level cache's sets: rows of a strip do not evict each other.
    const int StripStride = MostKeys + 16;

    /// <inheritdoc/>
    protected override long ScratchFloats(int strips) => Shape.ScratchFloats(strips, L.TileRows * StripStride, Shape.Dim);

    /// <inheritdoc/>
    protected override void Attend(in AttentionBlock block, float* memory)
    {
        var width = 2 * L.Count;
        var (set, query, count, firstKey, channel) = block;
        var scratch = new AttentionScratch(Shape, memory, (count + L.TileRows - 1) / L.TileRows, L.TileRows * StripStride, Shape.Dim);
        LoadQueries(set.Query, query, channel, count, scratch);
        for (var key = 0; key < set.KeyTokens; key += Shape.Keys)
        {
            var some = Math.Min(Shape.Keys, set.KeyTokens - key);
            AttentionPanels<L, V>.LoadKeys(Shape, set.Key.From(channel), firstKey + key, some, scratch.Keys);
            AttentionPanels<L, V>.LoadValues(Shape, set.Value.From(channel), firstKey + key, some, scratch.Values);
            if (some % width > 0)
            {
                LeaveOut(scratch.Tail, 1, width, some % width, width);
            }

            for (var strip = 0; strip < scratch.Strips; strip++)
            {
                Attend(strip, some, scratch);
            }
        }

        Store(set.Output, query, channel, count, scratch);
    }

    // Queries go in strips, turned so that a step of the product finds its numbers side by side; the scale is theirs. Rows beyond the last query are zero.
    void LoadQueries(Rows query, long first, int channel, int count, in AttentionScratch scratch)
    {
        for (var strip = 0; strip < scratch.Strips; strip++)
        {
            var to = scratch.Queries + (strip * L.TileRows * Shape.Dim);
            var some = Math.Min(L.TileRows, count - (strip * L.TileRows));
            if (some < L.TileRows)
            {
                new Span<float>(to, L.TileRows * Shape.Dim).Clear();
            }

            Transposition.Turn<L, V>(query[first + (strip * L.TileRows)] + channel, query.Stride, some, Shape.Dim, to, L.TileRows);
            Pointwise.Scale<L, V>(to, Shape.Scale, to, L.TileRows * Shape.Dim);
        }

        scratch.Begin(Shape);
    }

    void Attend(int strip, int keys, in AttentionScratch scratch)
    {
        var width = 2 * L.Count;
        var queries = scratch.Queries + (strip * L.TileRows * Shape.Dim);
        for (var column = 0; column < keys; column += width)
        {
            var start = column + width <= keys ? scratch.Zeros : scratch.Tail;
            AttentionTile<L, V, Packed>.Multiply(Shape.Dim, queries, scratch.Keys + (column * Shape.Dim), start, 0, scratch.Strip + column, StripStride);
        }

        var output = scratch.Output + (strip * L.TileRows * Shape.PaddedDim);
        for (var row = 0; row < L.TileRows; row++)
        {
            var scores = scratch.Strip + (row * StripStride);
            var at = (strip * L.TileRows) + row;
            var before = scratch.Largest[at];
            var largest = MathF.Max(before, Largest<L, V>(scores, keys, width));
            var correction = 1f;
            if (largest != before)
            {
                correction = Correction(before, largest);
                var sums = output + (row * Shape.PaddedDim);
                Pointwise.Scale<L, V>(sums, correction, sums, Shape.PaddedDim);
                scratch.Largest[at] = largest;
            }

            scratch.Sums[at] = (scratch.Sums[at] * correction) + Exponentiate(scores, keys, largest);
        }

        for (var column = 0; column < Shape.Dim; column += width)
        {
            AttentionTile<L, V, Strip>.Multiply(keys, scratch.Strip, scratch.Values + (column * Shape.Keys), output + column, Shape.PaddedDim, output + column, Shape.PaddedDim);
        }
    }

    // Two registers at a time: the chains of both exponentials overlap. Columns behind the last key are −∞ and become 0.
    static float Exponentiate(float* scores, int count, float largest)
    {
        var shift = L.Create(largest);
        var (sum, sum2) = (L.Zero, L.Zero);
        for (var i = 0; i < count; i += 2 * L.Count)
        {
            var x = ScoreExponential<L, V>.Of(L.Subtract(L.Load(scores + i), shift));
            var y = ScoreExponential<L, V>.Of(L.Subtract(L.Load(scores + i + L.Count), shift));
            L.Store(scores + i, x);
            L.Store(scores + i + L.Count, y);
            (sum, sum2) = (L.Add(sum, x), L.Add(sum2, y));
        }

        return L.Sum(L.Add(sum, sum2));
    }

    void Store(Rows output, long first, int channel, int count, in AttentionScratch scratch)
    {
        for (var row = 0; row < count; row++)
        {
            Pointwise.Scale<L, V>(scratch.Output + (row * Shape.PaddedDim), 1 / scratch.Sums[row], output[first + row] + channel, Shape.Dim);
        }
    }

    /// <summary>Queries: a step's numbers side by side.</summary>
    readonly struct Packed : ITileLayout
    {
        public static int Row => 1;

        public static int Step => L.TileRows;
    }

    /// <summary>Probabilities: rows of the strip.</summary>
    readonly struct Strip : ITileLayout
    {
        public static int Row => StripStride;

        public static int Step => 1;
    }
}
