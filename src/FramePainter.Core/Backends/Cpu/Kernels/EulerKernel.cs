using FramePainter.Backends.Cpu.Simd;
using FramePainter.Graphs;

namespace FramePainter.Backends.Cpu.Kernels;

/// <summary>
/// Guidance and one Euler step. Everything but the guided velocity is linear in x and v with factors of σ alone,
/// so the step is <c>a·x + b·v</c>; the factors are computed in double. Each element is read before it is written: safe in place.
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
    float _guidance;
    float _ofLatents;
    float _ofVelocity;

    public override void Run(CpuRun run)
    {
        _velocity = run.Data(op.Velocity);
        _latents = run.Data(op.Latents);
        _output = run.Data(op.Output);
        var scalars = run.Data(op.Scalars);
        double sigma = scalars[0];
        var step = (scalars[1] - sigma) / sigma;
        var variance = (sigma * sigma) + 1;
        _ofLatents = (float)(1 + (step * (sigma * sigma / variance)));
        _ofVelocity = (float)(step * (sigma / Math.Sqrt(variance)));
        _guidance = scalars[2];
        run.Parallel(this, _cut.Tiles);
    }

    public override void Execute(int tile, int worker)
    {
        var (from, count) = _cut[tile];
        var first = _velocity + from;
        var second = _velocity + from + (_guided ? op.Latents.Shape.Count : 0);
        var (w, a, b) = (L.Create(_guidance), L.Create(_ofLatents), L.Create(_ofVelocity));
        for (var i = 0; i < count; i += L.Count)
        {
            var part = Math.Min(L.Count, count - i);
            var v = L.LoadPart(first + i, part);
            if (_guided)
            {
                v = L.Fma(w, L.Subtract(L.LoadPart(second + i, part), v), v);
            }

            L.StorePart(_output + from + i, L.Fma(a, L.LoadPart(_latents + from + i, part), L.Multiply(b, v)), part);
        }
    }
}
