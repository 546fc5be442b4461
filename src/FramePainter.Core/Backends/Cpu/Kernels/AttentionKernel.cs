using FramePainter.Backends.Cpu.Simd;
using FramePainter.Graphs;
using FramePainter.Tensors;

namespace FramePainter.Backends.Cpu.Kernels;

/// <summary>
/// Attention with an online softmax: scores never leave the caches. A work tile is a block of queries of one image and head;
/// it walks over the keys in tiles. Per key tile, keys are turned into panels of two registers' width and values copied into panels alike (second-level cache);
/// then for each strip of a few queries scores are multiplied out into a strip (first-level cache), exponentiated there,
/// and multiplied with the values onto the strip's output. Both products are the same register tile.
/// Bound by arithmetic: 4·S²·d operations a head on 4·S·d floats.
/// </summary>
internal sealed unsafe class AttentionKernel<L, V> : CpuKernel
    where L : struct, ILanes<V>
    where V : struct
{
    const int MostKeys = 256;

    // Not a multiple of a page of the first-level cache's sets: rows of a strip do not evict each other.
    const int StripStride = MostKeys + 16;

    const float Ln2 = 0.693147181f;

    readonly AttentionOp _op;
    readonly AttentionShape _shape;
    readonly AttentionSet _self;
    readonly AttentionSet? _matching;
    readonly int _images;
    readonly Cut _blocks;
    CpuRun? _run;

    public AttentionKernel(AttentionOp op)
    {
        _op = op;
        _images = op.Output.Shape.Images;
        var tokens = op.Output.Shape.Tokens;
        _shape = new AttentionShape(op.HeadDim, StripRows, 2 * L.Count, MostKeys);
        var strips = (tokens + StripRows - 1) / StripRows;
        var blocks = Math.Max(1, (strips + _shape.StripsPerBlock - 1) / _shape.StripsPerBlock);
        _blocks = new Cut(tokens, (strips + blocks - 1) / blocks * StripRows);
        _self = new AttentionSet(op.Self, 0);
        _matching = op.Matching is { } matching ? new AttentionSet(matching, op.Heads * op.HeadDim) : null;
    }

    public override long ScratchBytesPerWorker =>
        (_shape.ScratchFloats(_blocks.Size / StripRows, StripRows * StripStride) * sizeof(float) + NativeBuffer.Alignment - 1) / NativeBuffer.Alignment * NativeBuffer.Alignment;

    static int StripRows => L.TileRows >= 14 ? 14 : 6;

    public override void Run(CpuRun run)
    {
        _run = run;
        _self.Bind(run, _op.Output);
        _matching?.Bind(run, _op.Output);
        run.Parallel(this, (_matching is null ? 1 : 2) * _images * _op.Heads * _blocks.Tiles);
    }

    public override void Execute(int tile, int worker)
    {
        var (plane, block) = Math.DivRem(tile, _blocks.Tiles);
        var (setImage, head) = Math.DivRem(plane, _op.Heads);
        var (set, image) = setImage < _images ? (_self, setImage) : (_matching!, setImage - _images);
        var (from, count) = _blocks[block];
        var scratch = new AttentionScratch(_shape, (float*)_run!.Scratch(worker), (count + StripRows - 1) / StripRows, StripRows * StripStride);
        var query = ((long)image * _blocks.Total) + from;
        var channel = head * _shape.Dim;
        LoadQueries(set.Query, query, channel, count, scratch);
        var keys = set.KeyTokens;
        var firstKey = (long)image * set.KeyImages / _images * keys;
        for (var key = 0; key < keys; key += _shape.Keys)
        {
            var some = Math.Min(_shape.Keys, keys - key);
            LoadKeys(set.Key, firstKey + key, channel, some, scratch);
            LoadValues(set.Value, firstKey + key, channel, some, scratch);
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
            var to = scratch.Queries + (strip * StripRows * _shape.Dim);
            var some = Math.Min(StripRows, count - (strip * StripRows));
            if (some < StripRows)
            {
                new Span<float>(to, StripRows * _shape.Dim).Clear();
            }

            Transposition.Turn<L, V>(query[first + (strip * StripRows)] + channel, query.Stride, some, _shape.Dim, _shape.Scale, to, StripRows);
        }

        // Below every score that is a number, and finite: the first correction is 0, not NaN.
        new Span<float>(scratch.Largest, scratch.Strips * StripRows).Fill(float.MinValue);
        new Span<float>(scratch.Sums, scratch.Strips * StripRows).Clear();
        new Span<float>(scratch.Output, scratch.Strips * StripRows * _shape.PaddedDim).Clear();
    }

    void LoadKeys(Rows key, long first, int channel, int count, in AttentionScratch scratch)
    {
        var width = 2 * L.Count;
        for (var column = 0; column < count; column += width)
        {
            var panel = scratch.Keys + ((long)column * _shape.Dim);
            var some = Math.Min(width, count - column);
            Transposition.Turn<L, V>(key[first + column] + channel, key.Stride, some, _shape.Dim, 1, panel, width);
            if (some < width)
            {
                for (var k = 0; k < _shape.Dim; k++)
                {
                    new Span<float>(panel + (k * width) + some, width - some).Clear();
                }

                // Keys that are not there score −∞.
                for (var j = 0; j < width; j++)
                {
                    scratch.Tail[j] = j < some ? 0 : float.NegativeInfinity;
                }
            }
        }
    }

    void LoadValues(Rows value, long first, int channel, int count, in AttentionScratch scratch)
    {
        var width = 2 * L.Count;
        for (var column = 0; column < _shape.Dim; column += width)
        {
            var panel = scratch.Values + ((long)column * _shape.Keys);
            var some = Math.Min(width, _shape.Dim - column);
            for (var k = 0; k < count; k++, panel += width)
            {
                var source = value[first + k] + channel + column;
                if (some == width)
                {
                    L.Store(panel, L.Load(source));
                    L.Store(panel + L.Count, L.Load(source + L.Count));
                }
                else
                {
                    Parts.Copy(source, panel, some, width);
                }
            }
        }
    }

    void Attend(int strip, int keys, in AttentionScratch scratch)
    {
        var width = 2 * L.Count;
        var queries = scratch.Queries + (strip * StripRows * _shape.Dim);
        for (var column = 0; column < keys; column += width)
        {
            var start = column + width <= keys ? scratch.Zeros : scratch.Tail;
            AttentionTile<L, V, Packed>.Multiply(_shape.Dim, queries, scratch.Keys + (column * _shape.Dim), start, 0, scratch.Strip + column, StripStride);
        }

        var output = scratch.Output + (strip * StripRows * _shape.PaddedDim);
        for (var row = 0; row < StripRows; row++)
        {
            var scores = scratch.Strip + (row * StripStride);
            var at = (strip * StripRows) + row;
            var before = scratch.Largest[at];
            var largest = MathF.Max(before, Largest(scores, keys));
            var correction = 1f;
            if (largest != before)
            {
                correction = MathF.Exp((before - largest) * Ln2);
                var sums = output + (row * _shape.PaddedDim);
                Pointwise.Scale<L, V>(sums, correction, sums, _shape.PaddedDim);
                scratch.Largest[at] = largest;
            }

            scratch.Sums[at] = (scratch.Sums[at] * correction) + Exponentiate(scores, keys, largest);
        }

        for (var column = 0; column < _shape.Dim; column += width)
        {
            AttentionTile<L, V, Strip>.Multiply(keys, scratch.Strip, scratch.Values + (column * _shape.Keys), output + column, _shape.PaddedDim, output + column, _shape.PaddedDim);
        }
    }

    static float Largest(float* scores, int count)
    {
        var (a, b) = (L.Load(scores), L.Load(scores + L.Count));
        for (var i = 2 * L.Count; i < count; i += 2 * L.Count)
        {
            a = L.Max(a, L.Load(scores + i));
            b = L.Max(b, L.Load(scores + i + L.Count));
        }

        return L.MaxAcross(L.Max(a, b));
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
            Pointwise.Scale<L, V>(scratch.Output + (row * _shape.PaddedDim), 1 / scratch.Sums[row], output[first + row] + channel, _shape.Dim);
        }
    }

    /// <summary>Queries: a step's numbers side by side.</summary>
    readonly struct Packed : ITileLayout
    {
        public static int Row => 1;

        public static int Step => L.TileRows >= 14 ? 14 : 6;
    }

    /// <summary>Probabilities: rows of the strip.</summary>
    readonly struct Strip : ITileLayout
    {
        public static int Row => StripStride;

        public static int Step => 1;
    }
}
