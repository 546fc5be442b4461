using FramePainter.Backends.Cpu.Simd;
using FramePainter.Graphs;

namespace FramePainter.Backends.Cpu.Kernels;

/// <summary><c>a·left + b·right</c>, element by element. Bound by memory: two reads, one write, three operations.</summary>
internal sealed unsafe class BlendKernel<L, V>(BlendOp op, CpuWeights weights) : CpuKernel
    where L : struct, ILanes<V>
    where V : struct
{
    readonly Cut _cut = Cut.Elements(op.Output.Shape.Count);
    readonly float _leftScale = weights.Scale(op.LeftScale);
    readonly float _rightScale = weights.Scale(op.RightScale);
    float* _left;
    float* _right;
    float* _output;

    public override void Run(CpuRun run)
    {
        _left = run.Data(op.Left);
        _right = run.Data(op.Right);
        _output = run.Data(op.Output);
        run.Parallel(this, _cut.Tiles);
    }

    public override void Execute(int tile, int worker)
    {
        var (from, count) = _cut[tile];
        Pointwise.WeightedSum<L, V>(_left + from, _leftScale, _right + from, _rightScale, _output + from, count);
    }
}
