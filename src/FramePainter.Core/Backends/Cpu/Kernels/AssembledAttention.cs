using FramePainter.Backends.Cpu.Jit;
using FramePainter.Backends.Cpu.Simd;
using FramePainter.Graphs;

namespace FramePainter.Backends.Cpu.Kernels;

/// <summary>
/// Attention on assembled kernels, in float32 or bfloat16: there queries and keys in pairs of channels, probabilities and values in pairs of keys, and sums, scores and the softmax
/// in float32. A tile of both products is six queries by two panels (64 keys, then 64 channels, a whole head of the networks) where
/// products take such, else twelve by one (AVX-512), six by one (AVX2) or, on AMX, 32 by one.
/// </summary>
/// <param name="op">The op; in bfloat16 one whose heads <see cref="BrainTiles.TakesHeads"/>.</param>
/// <param name="tiles">The assembled kernels.</param>
internal sealed unsafe class AssembledAttention<L, V>(AttentionOp op, AttentionTiles tiles)
    : AttentionKernel(op, new AttentionShape(op.HeadDim, tiles.StripRows, 2 * L.Count, MostKeys))
    where L : struct, ILanes<V>
    where V : struct
{
    const int MostKeys = FloatKernels.StripKeys;
    const int StripStride = FloatKernels.StripStride;

    /// <summary>Queries are fetched so many rows before they are read.</summary>
    const int QueriesAhead = 8;

    readonly int _stripRows = tiles.StripRows;
    readonly int _tileWidth = (tiles.Paired is null ? 2 : 4) * L.Count;

    /// <summary>Words of a head's channels.</summary>
    readonly int _words = op.HeadDim / tiles.WordInputs;

    /// <summary>Words from one query to the next.</summary>
    readonly int _queryWords = tiles.Brain is null ? op.HeadDim : BrainPanels.RowWords(op.HeadDim);

    /// <inheritdoc/>
    protected override long ScratchFloats(int strips) => Shape.ScratchFloats(strips, StripFloats, _queryWords);

    /// <summary>A strip of scores, and behind it what rounding wants.</summary>
    int StripFloats => (_stripRows * StripStride) + (tiles.Brain is null ? 0 : BrainPanels.StageFloats(Shape.Dim));

    /// <inheritdoc/>
    protected override void Attend(in AttentionBlock block, float* memory)
    {
        var (set, query, count, firstKey, channel) = block;
        var scratch = new AttentionScratch(Shape, memory, (count + _stripRows - 1) / _stripRows, StripFloats, _queryWords);
        var stage = scratch.Strip + (_stripRows * StripStride);
        var ahead = new RowsAhead(Shape.Dim * sizeof(float));
        var (keys, values, outputs) = (set.Key.From(channel), set.Value.From(channel), set.Output.From(channel));
        ahead.Begin(keys, values, firstKey, Math.Min(Shape.Keys, set.KeyTokens), count);
        LoadQueries(set.Query.From(channel), query, count, scratch, stage, ref ahead);
        tiles.Brain?.Enter();
        for (var key = 0; key < set.KeyTokens; key += Shape.Keys)
        {
            var some = Math.Min(Shape.Keys, set.KeyTokens - key);
            if (tiles.Brain is { } brain)
            {
                var panels = new BrainPanels(brain, Shape.Dim);
                panels.LoadKeys(keys, firstKey + key, some, scratch.Keys, stage);
                panels.LoadValues(values, firstKey + key, some, Shape.Keys, scratch.Values, stage);
            }
            else
            {
                AttentionPanels<L, V>.LoadKeys(Shape, keys, firstKey + key, some, scratch.Keys);
                AttentionPanels<L, V>.LoadValues(Shape, values, firstKey + key, some, scratch.Values);
            }

            // What the next tile of keys wants, or the end, arrives meanwhile.
            var turns = scratch.Strips * (Tiles(some) + Tiles(Shape.Dim));
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

        tiles.Brain?.Leave();
        for (var row = 0; row < count; row++)
        {
            Pointwise.Scale<L, V>(scratch.Output + (row * Shape.PaddedDim), 1 / scratch.Sums[row], outputs[query + row], Shape.Dim);
        }
    }

    int Tiles(int columns) => (columns + _tileWidth - 1) / _tileWidth;

    // Rows beyond the last query are zero.
    void LoadQueries(Rows query, long first, int count, in AttentionScratch scratch, float* stage, ref RowsAhead ahead)
    {
        for (var row = 0; row < count; row++)
        {
            Prefetch.Far(query[first + Math.Min(row + QueriesAhead, count - 1)], Shape.Dim * sizeof(float));
            ahead.Fetch();
            var to = scratch.Queries + (row * _queryWords);
            if (tiles.Brain is { } brain)
            {
                new BrainPanels(brain, Shape.Dim).LoadQuery(query[first + row], Shape.Scale, to, stage);
            }
            else
            {
                Pointwise.Scale<L, V>(query[first + row], Shape.Scale, to, Shape.Dim);
            }
        }

        new Span<float>(scratch.Queries + (count * _queryWords), ((scratch.Strips * _stripRows) - count) * _queryWords).Clear();
        scratch.Begin(Shape);
    }

    void Attend(int strip, int keys, in AttentionScratch scratch, ref RowsAhead ahead)
    {
        var first = strip * _stripRows;
        var output = scratch.Output + (first * Shape.PaddedDim);
        var scores = new TileCall
        {
            Rows = scratch.Queries + (first * _queryWords), Distance = _queryWords * sizeof(float), Words = _words,
            Panel = (byte*)scratch.Keys, Sums = scratch.Strip, SumDistance = StripStride * sizeof(float),
        };
        Multiply(&scores, keys, _words, ref ahead);
        LeaveOut(scratch.Strip, keys);
        for (var row = 0; row < _stripRows; row += tiles.SoftmaxRows)
        {
            Softmax(first + row, scratch.Strip + (row * StripStride), keys, output + (row * Shape.PaddedDim), scratch);
        }

        var values = new TileCall
        {
            Rows = scratch.Strip, Distance = StripStride * sizeof(float), Words = (keys + tiles.WordInputs - 1) / tiles.WordInputs,
            Panel = (byte*)scratch.Values, Sums = output, SumDistance = Shape.PaddedDim * sizeof(float), Accumulate = 1,
        };
        Multiply(&values, Shape.Dim, Shape.Keys / tiles.WordInputs, ref ahead);
    }

    // Keys that are not there score −∞, as far as the softmax reads.
    void LeaveOut(float* scores, int keys)
    {
        if (keys % FloatKernels.SoftmaxKeys is var beyond && beyond > 0)
        {
            for (var row = 0; row < _stripRows; row++)
            {
                new Span<float>(scores + (row * StripStride) + keys, FloatKernels.SoftmaxKeys - beyond).Fill(float.NegativeInfinity);
            }
        }
    }

    // Scores become probabilities about the greatest so far, and what is summed already counts about it too.
    void Softmax(int query, float* scores, int keys, float* output, in AttentionScratch scratch)
    {
        var before = stackalloc float[tiles.SoftmaxRows];
        var sums = stackalloc float[tiles.SoftmaxRows];
        var largest = scratch.Largest + query;
        Pointwise.Copy(largest, before, tiles.SoftmaxRows);
        var softmax = new SoftmaxCall { Strip = scores, Largest = largest, Sums = sums, Keys = keys };
        ((delegate* unmanaged[SuppressGCTransition]<SoftmaxCall*, void>)tiles.Softmax)(&softmax);
        for (var row = 0; row < tiles.SoftmaxRows; row++)
        {
            var correction = 1f;
            if (largest[row] != before[row])
            {
                correction = Correction(before[row], largest[row]);
                Pointwise.Scale<L, V>(output + (row * Shape.PaddedDim), correction, output + (row * Shape.PaddedDim), Shape.PaddedDim);
            }

            scratch.Sums[query + row] = (scratch.Sums[query + row] * correction) + sums[row];
        }
    }

    /// <summary>A strip by all panels, a tile at a time; memory that is wanted soon is fetched between them.</summary>
    /// <param name="call">The first tile, as a tile of one panel.</param>
    /// <param name="columns">Columns of all panels.</param>
    /// <param name="panelRows">Words that a panel has room for.</param>
    /// <param name="ahead">What is wanted soon.</param>
    void Multiply(TileCall* call, int columns, int panelRows, ref RowsAhead ahead)
    {
        var width = 2 * L.Count;
        call->PanelDistance = (long)width * panelRows * sizeof(float);
        call->SumPanelDistance = width * sizeof(float);
        var step = _tileWidth / width * call->PanelDistance;
        for (; columns > 0; columns -= _tileWidth)
        {
            ahead.Fetch();
            var kernel = tiles.Paired is { } paired && columns > width ? paired : columns > L.Count ? tiles.Wide : tiles.Narrow;
            FloatKernels.Run(kernel[_stripRows - 1], call);
            call->Panel += step;
            call->Sums += _tileWidth;
        }
    }
}
