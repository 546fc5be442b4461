using FramePainter.Backends.Cpu.Simd;
using FramePainter.Graphs;
using FramePainter.Tensors;

namespace FramePainter.Backends.Cpu.Kernels;

/// <summary>Queries of one image and head, with the keys that they attend to.</summary>
/// <param name="Set">The set of heads.</param>
/// <param name="Query">The first query's row.</param>
/// <param name="Count">How many queries.</param>
/// <param name="Key">The first key's row.</param>
/// <param name="Channel">The head's first channel.</param>
internal readonly record struct AttentionBlock(AttentionSet Set, long Query, int Count, long Key, int Channel);

/// <summary>
/// Attention with an online softmax: scores never leave the caches. A work tile is a block of queries of one image and head;
/// it walks over the keys in tiles. Per key tile, keys and values become panels (second-level cache); then for each strip of a few queries scores are
/// multiplied out (first-level cache), exponentiated there, and multiplied with the values onto the strip's output.
/// Bound by arithmetic: 4·S²·d operations a head on 4·S·d floats. In which numbers both products run is the derived kernels' affair.
/// </summary>
internal abstract unsafe class AttentionKernel : CpuKernel
{
    const float Ln2 = 0.693147181f;

    readonly AttentionOp _op;
    readonly AttentionSet _self;
    readonly AttentionSet? _matching;
    readonly int _images;
    readonly Cut _blocks;
    readonly int _stripRows;
    CpuRun? _run;

    /// <param name="op">The op.</param>
    /// <param name="shape">Its tile sizes.</param>
    protected AttentionKernel(AttentionOp op, AttentionShape shape)
    {
        (_op, _stripRows, Shape) = (op, shape.TileRows, shape);
        _images = op.Output.Shape.Images;
        var tokens = op.Output.Shape.Tokens;
        var strips = (tokens + _stripRows - 1) / _stripRows;
        var blocks = Math.Max(1, (strips + shape.StripsPerBlock - 1) / shape.StripsPerBlock);
        _blocks = new Cut(tokens, (strips + blocks - 1) / blocks * _stripRows);
        _self = new AttentionSet(op.Self, 0);
        _matching = op.Matching is { } matching ? new AttentionSet(matching, op.Heads * op.HeadDim) : null;
    }

    /// <inheritdoc/>
    public override long ScratchBytesPerWorker =>
        (ScratchFloats(_blocks.Size / _stripRows) * sizeof(float) + NativeBuffer.Alignment - 1) / NativeBuffer.Alignment * NativeBuffer.Alignment;

    /// <summary>Tile sizes.</summary>
    protected AttentionShape Shape { get; }

    /// <inheritdoc/>
    public override void Run(CpuRun run)
    {
        _run = run;
        _self.Bind(run, _op.Output);
        _matching?.Bind(run, _op.Output);
        run.Parallel(this, (_matching is null ? 1 : 2) * _images * _op.Heads * _blocks.Tiles);
    }

    /// <inheritdoc/>
    public override void Execute(int tile, int worker)
    {
        var (plane, block) = Math.DivRem(tile, _blocks.Tiles);
        var (setImage, head) = Math.DivRem(plane, _op.Heads);
        var (set, image) = setImage < _images ? (_self, setImage) : (_matching!, setImage - _images);
        var (from, count) = _blocks[block];
        var firstKey = (long)image * set.KeyImages / _images * set.KeyTokens;
        Attend(new AttentionBlock(set, ((long)image * _blocks.Total) + from, count, firstKey, head * Shape.Dim), (float*)_run!.Scratch(worker));
    }

    /// <summary>Floats of scratch for a block of so many strips.</summary>
    protected abstract long ScratchFloats(int strips);

    /// <summary>A block of queries from end to end.</summary>
    protected abstract void Attend(in AttentionBlock block, float* memory);

    /// <summary>What sums about an old greatest score count about the new one.</summary>
    protected static float Correction(float before, float largest) => MathF.Exp((before - largest) * Ln2);

    /// <summary>What sums of a partly filled panel begin with: keys that are not there score −∞.</summary>
    /// <param name="scores">The panel's scores.</param>
    /// <param name="rows">Rows of them.</param>
    /// <param name="stride">Floats from row to row.</param>
    /// <param name="keys">Keys that are there.</param>
    /// <param name="width">Scores of a row.</param>
    protected static void LeaveOut(float* scores, int rows, int stride, int keys, int width)
    {
        for (var row = 0; row < rows; row++, scores += stride)
        {
            new Span<float>(scores, keys).Clear();
            new Span<float>(scores + keys, width - keys).Fill(float.NegativeInfinity);
        }
    }

    /// <summary>The greatest of a row of scores, two registers of them at a time.</summary>
    /// <param name="scores">The row.</param>
    /// <param name="count">How many there are; what fills the last two registers counts too.</param>
    /// <param name="step">Floats from two registers to the next two.</param>
    protected static float Largest<L, V>(float* scores, int count, nint step)
        where L : struct, ILanes<V>
        where V : struct
    {
        var (a, b) = (L.Load(scores), L.Load(scores + L.Count));
        for (var i = 2 * L.Count; i < count; i += 2 * L.Count)
        {
            scores += step;
            a = L.Max(a, L.Load(scores));
            b = L.Max(b, L.Load(scores + L.Count));
        }

        return L.MaxAcross(L.Max(a, b));
    }
}
