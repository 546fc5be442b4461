using FramePainter.Backends.Cpu.Simd;
using FramePainter.Graphs;

namespace FramePainter.Backends.Cpu.Kernels;

/// <summary>Both guidance halves of what they share; the conditional one gets its part added. Bound by memory.</summary>
internal sealed unsafe class JoinHalvesKernel<L, V>(JoinHalvesOp op) : CpuKernel
    where L : struct, ILanes<V>
    where V : struct
{
    readonly int _frames = op.Shared.Shape.Images;
    readonly long _imageSize = op.Conditional.Shape.Count;
    readonly Cut _cut = Cut.Elements(op.Conditional.Shape.Count);
    float* _shared;
    float* _conditional;
    float* _output;

    public override void Run(CpuRun run)
    {
        _shared = run.Data(op.Shared);
        _conditional = run.Data(op.Conditional);
        _output = run.Data(op.Output);
        run.Parallel(this, op.Halves * _frames * _cut.Tiles);
    }

    public override void Execute(int tile, int worker)
    {
        var (image, part) = Math.DivRem(tile, _cut.Tiles);
        var (from, count) = _cut[part];
        var source = _shared + (image % _frames * _imageSize) + from;
        var destination = _output + (image * _imageSize) + from;
        if (image < (op.Halves - 1) * _frames)
        {
            Pointwise.Copy(source, destination, count);
        }
        else
        {
            Pointwise.Add<L, V>(source, _conditional + from, destination, count);
        }
    }
}
