using FramePainter.Backends.Cpu.Simd;
using FramePainter.Graphs;

namespace FramePainter.Backends.Cpu.Kernels;

/// <summary>
/// Attention over the two frames of a half. A softmax over two keys is a sigmoid of the difference of their scores, and that is one product:
/// <c>p₁ = sigmoid(q·(k₁ − k₀)/√d)</c>, <c>out = p₀·v₀ + p₁·v₁</c>. Bound by memory: queries, keys and values once, one write.
/// A tile is a run of positions of one half; its sigmoids are gathered in scratch and computed together.
/// </summary>
internal sealed unsafe class TemporalAttentionKernel<L, V>(TemporalAttentionOp op) : CpuKernel
    where L : struct, ILanes<V>
    where V : struct
{
    readonly int _heads = op.Heads;
    readonly int _dim = op.HeadDim;
    readonly int _tokens = op.Output.Shape.Tokens;
    readonly Cut _cut = new(op.Output.Shape.Tokens, Math.Clamp(8192 / (op.Heads * op.HeadDim), 1, 64));
    readonly float _scale = (float)(1 / Math.Sqrt(op.HeadDim));
    Rows _query;
    Rows _key;
    Rows _value;
    Rows _output;
    CpuRun? _run;

    public override long ScratchBytesPerWorker => (((long)2 * _heads * _cut.Size * sizeof(float)) + 63) / 64 * 64;

    public override void Run(CpuRun run)
    {
        _query = Rows.Of(run, op.Input.Query);
        _key = Rows.Of(run, op.Input.Key);
        _value = Rows.Of(run, op.Input.Value);
        _output = Rows.Of(run, new Channels(op.Output));
        _run = run;
        run.Parallel(this, op.Output.Shape.Images / 2 * _cut.Tiles);
    }

    public override void Execute(int tile, int worker)
    {
        var (half, part) = Math.DivRem(tile, _cut.Tiles);
        var (from, count) = _cut[part];
        var first = ((long)half * 2 * _tokens) + from;
        var weights = (float*)_run!.Scratch(worker);
        for (var i = 0; i < count; i++)
        {
            Scores(first + i, weights + (i * 2 * _heads));
        }

        var scores = count * 2 * _heads;
        Pointwise.Scale<L, V>(weights, _scale, weights, scores);
        Pointwise.Map<L, V, Sigmoid>(weights, weights, scores);
        for (var i = 0; i < count; i++)
        {
            Mix(first + i, weights + (i * 2 * _heads));
        }
    }

    // For each head the score difference of frame 0's query, then of frame 1's.
    void Scores(long position, float* scores)
    {
        var q0 = _query[position];
        var q1 = _query[position + _tokens];
        var k0 = _key[position];
        var k1 = _key[position + _tokens];
        for (var head = 0; head < _heads; head++, q0 += _dim, q1 += _dim, k0 += _dim, k1 += _dim)
        {
            var (s0, s1) = (L.Zero, L.Zero);
            var i = 0;
            for (; i <= _dim - L.Count; i += L.Count)
            {
                var k = L.Subtract(L.Load(k1 + i), L.Load(k0 + i));
                s0 = L.Fma(L.Load(q0 + i), k, s0);
                s1 = L.Fma(L.Load(q1 + i), k, s1);
            }

            if (i < _dim)
            {
                var part = _dim - i;
                var k = L.Subtract(L.LoadPart(k1 + i, part), L.LoadPart(k0 + i, part));
                s0 = L.Fma(L.LoadPart(q0 + i, part), k, s0);
                s1 = L.Fma(L.LoadPart(q1 + i, part), k, s1);
            }

            (scores[2 * head], scores[(2 * head) + 1]) = (L.Sum(s0), L.Sum(s1));
        }
    }

    void Mix(long position, float* weights)
    {
        var v0 = _value[position];
        var v1 = _value[position + _tokens];
        var o0 = _output[position];
        var o1 = _output[position + _tokens];
        for (var head = 0; head < _heads; head++, v0 += _dim, v1 += _dim, o0 += _dim, o1 += _dim)
        {
            var (first, second) = (weights[2 * head], weights[(2 * head) + 1]);
            Pointwise.WeightedSum<L, V>(v0, 1 - first, v1, first, o0, _dim);
            Pointwise.WeightedSum<L, V>(v0, 1 - second, v1, second, o1, _dim);
        }
    }

    /// <summary>1/(1 + e^−x).</summary>
    readonly struct Sigmoid : IFunction
    {
        public static W Of<M, W>(W x)
            where M : struct, ILanes<W>
            where W : struct => VectorMath<M, W>.Sigmoid(x);
    }
}
