using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using FramePainter.Backends.Cpu.Jit;
using FramePainter.Backends.Cpu.Simd;
using FramePainter.Graphs;

namespace FramePainter.Backends.Cpu.Kernels;

/// <summary>
/// Attention in bfloat16 on AMX, where tiles are of whole registers and rows at one distance: queries and keys in pairs of channels, probabilities and values in
/// pairs of keys. Sums, scores and the softmax are float32. <see cref="AssembledAttention{L, V}"/> is the same for AVX512-BF16.
/// </summary>
/// <param name="op">The op, one that it <see cref="BrainTiles.TakesHeads"/>.</param>
/// <param name="kernels">The assembled kernels.</param>
internal sealed unsafe class MatrixAttention(AttentionOp op, BrainKernels kernels)
    : AttentionKernel(op, new AttentionShape(op.HeadDim, kernels.TileRows, MatrixAttentionScratch.Width, MostKeys))
{
    const int MostKeys = 256;
    const int Width = MatrixAttentionScratch.Width;

    readonly int _pairs = op.HeadDim / BrainTiles.PairInputs;
    readonly BrainPanels _panels = new(kernels, op.HeadDim);

    /// <inheritdoc/>
    protected override long ScratchFloats(int strips) => new MatrixAttentionScratch(Shape, null, strips).End - (float*)null;

    /// <inheritdoc/>
    protected override void Attend(in AttentionBlock block, float* memory)
    {
        var (set, query, count, firstKey, channel) = block;
        var scratch = new MatrixAttentionScratch(Shape, memory, (count + Shape.TileRows - 1) / Shape.TileRows);
        LoadQueries(set.Query, query, channel, count, scratch);
        kernels.Enter();
        for (var key = 0; key < set.KeyTokens; key += Shape.Keys)
        {
            var some = Math.Min(Shape.Keys, set.KeyTokens - key);
            _panels.LoadKeys(set.Key.From(channel), firstKey + key, some, scratch.Keys, scratch.Stage);
            _panels.LoadValues(set.Value.From(channel), firstKey + key, some, Shape.Keys, scratch.Values, scratch.Stage);
            for (var strip = 0; strip < scratch.Strips; strip++)
            {
                Attend(strip, RowsOf(strip, count), some, scratch);
            }
        }

        kernels.Leave();
        Store(set.Output, query, channel, count, scratch);
    }

    int RowsOf(int strip, int count) => Math.Min(Shape.TileRows, count - (strip * Shape.TileRows));

    // Scaled, then rounded once. Words behind a strip's last are the next one's, which comes later.
    void LoadQueries(Rows query, long first, int channel, int count, in MatrixAttentionScratch scratch)
    {
        for (var strip = 0; strip < scratch.Strips; strip++)
        {
            for (var row = 0; row < RowsOf(strip, count); row++)
            {
                _panels.LoadQuery(query[first + (strip * Shape.TileRows) + row] + channel, Shape.Scale, scratch.QueriesOf(strip) + (row * Blocking.RowStride), scratch.Stage);
            }
        }

        // Below every score that is a number, and finite: the first correction is 0, not NaN.
        new Span<float>(scratch.Largest, scratch.Strips * Shape.TileRows).Fill(float.MinValue);
        new Span<float>(scratch.Sums, scratch.Strips * Shape.TileRows).Clear();
        new Span<float>(scratch.Outputs, scratch.Strips * Shape.PaddedDim / Width * scratch.TileFloats).Clear();
    }

    float* ValuesOf(int column, in MatrixAttentionScratch scratch) => scratch.Values + (Shape.Keys / BrainTiles.PairInputs * column);

    void Attend(int strip, int rows, int keys, in MatrixAttentionScratch scratch)
    {
        var queries = scratch.QueriesOf(strip);
        for (var column = 0; column < keys; column += Width)
        {
            var some = keys - column;
            var tile = scratch.Scores + (column / Width * scratch.TileFloats);
            if (some < Width)
            {
                LeaveOut(tile, rows, Width, some, Width);
            }

            Multiply(rows, some, queries, scratch.Keys + (column * _pairs), _pairs, tile, some < Width);
        }

        var output = scratch.OutputsOf(strip);
        for (var row = 0; row < rows; row++)
        {
            var scores = scratch.Scores + (row * Width);
            var at = (strip * Shape.TileRows) + row;
            var before = scratch.Largest[at];
            var largest = MathF.Max(before, Largest<Lanes512, Vector512<float>>(scores, keys, scratch.TileFloats));
            if (largest != before)
            {
                var correction = Correction(before, largest);
                for (var column = 0; column < Shape.Dim; column += Width)
                {
                    var sums = output + (column / Width * scratch.TileFloats) + (row * Width);
                    Pointwise.Scale<Lanes512, Vector512<float>>(sums, correction, sums, Width);
                }

                scratch.Sums[at] *= correction;
                scratch.Largest[at] = largest;
            }

            Exponentiate(scores, scratch.TileFloats, keys, largest, scratch.Rows + (row * Blocking.RowStride));
        }

        // What is summed is what values are multiplied with: the weights of an output then add up to 1 whatever rounding did to each.
        var pairs = (keys + 1) / BrainTiles.PairInputs;
        kernels.Round(scratch.Rows, Blocking.RowStride, scratch.Rows, Blocking.RowStride, rows, pairs);
        for (var row = 0; row < rows; row++)
        {
            scratch.Sums[(strip * Shape.TileRows) + row] += Sum((uint*)scratch.Rows + (row * Blocking.RowStride), pairs);
        }

        for (var column = 0; column < Shape.Dim; column += Width)
        {
            Multiply(rows, Shape.Dim - column, scratch.Rows, ValuesOf(column, scratch), pairs, output + (column / Width * scratch.TileFloats), true);
        }
    }

    void Multiply(int rows, int columns, float* left, float* panel, int pairs, float* sums, bool accumulate)
    {
        var call = new TileCall
        {
            Rows = left, Distance = Blocking.RowStride * sizeof(float), Panel = (byte*)panel, Words = pairs,
            Sums = sums, SumDistance = Width * sizeof(float), Accumulate = accumulate ? 1 : 0,
        };
        FloatKernels.Run((columns <= Lanes512.Count ? kernels.Narrow : kernels.Wide)[rows - 1], &call);
    }

    // Two registers at a time: the chains of both exponentials overlap. Columns behind the last key are −∞ and become 0.
    static void Exponentiate(float* scores, int step, int count, float largest, float* row)
    {
        var shift = Lanes512.Create(largest);
        for (var i = 0; i < count; i += Width, scores += step, row += Width)
        {
            Lanes512.Store(row, ScoreExponential<Lanes512, Vector512<float>>.Of(Lanes512.Load(scores) - shift));
            Lanes512.Store(row + Lanes512.Count, ScoreExponential<Lanes512, Vector512<float>>.Of(Lanes512.Load(scores + Lanes512.Count) - shift));
        }
    }

    /// <summary>All numbers of a row of words, with those that fill its last register: zeros.</summary>
    static float Sum(uint* words, int pairs)
    {
        var (even, odd) = (Lanes512.Zero, Lanes512.Zero);
        for (var i = 0; i < pairs; i += Lanes512.Count)
        {
            var both = Vector512.Load(words + i);
            even += (both << 16).AsSingle();
            odd += (both & Vector512.Create(0xFFFF_0000)).AsSingle();
        }

        return Lanes512.Sum(even + odd);
    }

    void Store(Rows output, long first, int channel, int count, in MatrixAttentionScratch scratch)
    {
        for (var row = 0; row < count; row++)
        {
            var (strip, within) = Math.DivRem(row, Shape.TileRows);
            var sums = scratch.OutputsOf(strip) + (within * Width);
            for (var column = 0; column < Shape.Dim; column += Width)
            {
                var to = output[first + row] + channel + column;
                Pointwise.Scale<Lanes512, Vector512<float>>(sums + (column / Width * scratch.TileFloats), 1 / scratch.Sums[row], to, Math.Min(Width, Shape.Dim - column));
            }
        }
    }
}
