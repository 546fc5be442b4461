using FramePainter.Backends.Cpu.Simd;
using FramePainter.Graphs;

namespace FramePainter.Backends.Cpu.Kernels;

/// <summary>Attention probabilities, written out: scores of a query straight into the output's row, then a softmax in place. Plain, since it is for looking, not for painting.</summary>
internal sealed unsafe class AttentionProbabilitiesKernel<L, V>(AttentionProbabilitiesOp op) : CpuKernel
    where L : struct, ILanes<V>
    where V : struct
{
    const int QueriesPerTile = 16;

    readonly int _images = op.Output.Shape.Images;
    readonly int _tokens = op.Query.Value.Shape.Tokens;
    readonly int _keyImages = op.Key.Value.Shape.Images;
    readonly int _keyTokens = op.Key.Value.Shape.Tokens;
    readonly int _dim = op.HeadDim;
    readonly float _scale = (float)(1 / Math.Sqrt(op.HeadDim));
    readonly Cut _cut = new(op.Query.Value.Shape.Tokens, QueriesPerTile);
    Rows _query;
    Rows _key;
    float* _output;

    public override void Run(CpuRun run)
    {
        _query = Rows.Of(run, op.Query);
        _key = Rows.Of(run, op.Key);
        _output = run.Data(op.Output);
        run.Parallel(this, _images * op.Heads * _cut.Tiles);
    }

    public override void Execute(int tile, int worker)
    {
        var (plane, part) = Math.DivRem(tile, _cut.Tiles);
        var (image, head) = Math.DivRem(plane, op.Heads);
        var keyImage = (long)image * _keyImages / _images;
        var (from, count) = _cut[part];
        for (var query = from; query < from + count; query++)
        {
            var q = _query[((long)image * _tokens) + query] + (head * _dim);
            var row = _output + ((((long)plane * _tokens) + query) * _keyTokens);
            for (var key = 0; key < _keyTokens; key++)
            {
                row[key] = _scale * Dot(q, _key[(keyImage * _keyTokens) + key] + (head * _dim));
            }

            Softmax(row);
        }
    }

    float Dot(float* left, float* right)
    {
        var sum = L.Zero;
        var i = 0;
        for (; i <= _dim - L.Count; i += L.Count)
        {
            sum = L.Fma(L.Load(left + i), L.Load(right + i), sum);
        }

        if (i < _dim)
        {
            sum = L.Fma(L.LoadPart(left + i, _dim - i), L.LoadPart(right + i, _dim - i), sum);
        }

        return L.Sum(sum);
    }

    void Softmax(float* row)
    {
        var largest = float.NegativeInfinity;
        for (var i = 0; i < _keyTokens; i++)
        {
            largest = MathF.Max(largest, row[i]);
        }

        var shift = L.Create(largest);
        double sum = 0;
        for (var i = 0; i < _keyTokens; i += L.Count)
        {
            var part = Math.Min(L.Count, _keyTokens - i);
            L.StorePart(row + i, VectorMath<L, V>.Exp(L.Subtract(L.LoadPart(row + i, part), shift)), part);
        }

        for (var i = 0; i < _keyTokens; i++)
        {
            sum += row[i];
        }

        Pointwise.Scale<L, V>(row, (float)(1 / sum), row, _keyTokens);
    }
}
