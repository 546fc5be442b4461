using FramePainter.Backends.Cpu.Simd;
using FramePainter.Graphs;

namespace FramePainter.Backends.Cpu.Kernels;

/// <summary>Multiplies by a scalar that is known at run time only. Bound by memory.</summary>
internal sealed unsafe class ScaleKernel<L, V>(ScaleOp op) : CpuKernel
    where L : struct, ILanes<V>
    where V : struct
{
    readonly Cut _cut = Cut.Elements(op.Output.Shape.Count);
    float* _input;
    float* _output;
    float _factor;

    public override void Run(CpuRun run)
    {
        _input = run.Data(op.Input);
        _output = run.Data(op.Output);
        _factor = run.Data(op.Scalars)[op.Column];
        run.Parallel(this, _cut.Tiles);
    }

    public override void Execute(int tile, int worker)
    {
        var (from, count) = _cut[tile];
        Pointwise.Scale<L, V>(_input + from, _factor, _output + from, count);
    }
}
