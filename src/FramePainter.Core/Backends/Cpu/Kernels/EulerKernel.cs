using FramePainter.Backends.Cpu.Simd;
using FramePainter.Graphs;

namespace FramePainter.Backends.Cpu.Kernels;

/// <summary>
/// Guidance and one Euler step, each operation rounded by itself and in the original's order: latents are some hundred times the prediction at first, so that what a step loses
/// in rounding shows in an edit of few steps, and only the same losses give the same picture. Each element is read before it is written: safe in place.
/// </summary>
internal sealed unsafe class EulerKernel<L, V>(EulerOp op) : CpuKernel
    where L : struct, ILanes<V>
    where V : struct
{
    readonly bool _guided = op.Velocity.Shape.Count > op.Latents.Shape.Count;
    readonly Cut _cut = Cut.Elements(op.Latents.Shape.Count);
    float* _velocity;
    float* _latents;
    float* _output;
    float _sigma;
    float _change;
    float _guidance;
    float _variance;
    float _ofVelocity;

    public override void Run(CpuRun run)
    {
        _velocity = run.Data(op.Velocity);
        _latents = run.Data(op.Latents);
        _output = run.Data(op.Output);
        var scalars = run.Data(op.Scalars);
        _sigma = scalars[0];
        _change = scalars[1] - _sigma;
        _guidance = scalars[2];
        _variance = (_sigma * _sigma) + 1;
        _ofVelocity = -_sigma / MathF.Sqrt(_variance);
        run.Parallel(this, _cut.Tiles);
    }

    public override void Execute(int tile, int worker)
    {
        var (from, count) = _cut[tile];
        var first = _velocity + from;
        var second = _velocity + from + (_guided ? op.Latents.Shape.Count : 0);
        var (sigma, change, w, variance, ofVelocity) = (L.Create(_sigma), L.Create(_change), L.Create(_guidance), L.Create(_variance), L.Create(_ofVelocity));
        for (var i = 0; i < count; i += L.Count)
        {
            var part = Math.Min(L.Count, count - i);
            var v = L.LoadPart(first + i, part);
            if (_guided)
            {
                v = L.Add(v, L.Multiply(w, L.Subtract(L.LoadPart(second + i, part), v)));
            }

            var x = L.LoadPart(_latents + from + i, part);
            var clean = L.Add(L.Multiply(v, ofVelocity), L.Divide(x, variance));
            var slope = L.Divide(L.Subtract(x, clean), sigma);
            L.StorePart(_output + from + i, L.Add(x, L.Multiply(slope, change)), part);
        }
    }
}
