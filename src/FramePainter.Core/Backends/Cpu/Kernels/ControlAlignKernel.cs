using FramePainter.Backends.Cpu.Simd;
using FramePainter.Graphs;

namespace FramePainter.Backends.Cpu.Kernels;

/// <summary>
/// Joins control features to the last images of x. Per image the alignment is <c>x + a·pooled + b</c>, with a and b from both
/// sides' statistics in double. Bound by memory: x twice, pooled once, one write.
/// </summary>
internal sealed unsafe class ControlAlignKernel<L, V> : CpuKernel
    where L : struct, ILanes<V>
    where V : struct
{
    readonly ControlAlignOp _op;
    readonly ImageStatistics<L, V> _statistics;
    readonly int _images;
    readonly int _unchanged;
    readonly long _imageSize;
    readonly float[] _factors;
    readonly float[] _shifts;
    Phase _phase;
    float* _input;
    float* _pooled;
    float* _output;
    double* _scratch;

    public ControlAlignKernel(ControlAlignOp op)
    {
        _op = op;
        _images = op.Output.Shape.Images;
        var aligned = op.Pooled.Shape.Images;
        _unchanged = _images - aligned;
        _imageSize = op.Output.Shape.Count / Math.Max(1, _images);
        _statistics = new ImageStatistics<L, V>(_imageSize);
        (_factors, _shifts) = (new float[aligned], new float[aligned]);
    }

    enum Phase
    {
        Measure,
        Apply,
    }

    public override long SharedScratchBytes => _factors.Length * _statistics.BytesPerImage;

    public override void Run(CpuRun run)
    {
        _input = run.Data(_op.Input);
        _pooled = run.Data(_op.Pooled);
        _output = run.Data(_op.Output);
        _scratch = (double*)run.Shared;
        _phase = Phase.Measure;
        run.Parallel(this, _factors.Length * _statistics.Cut.Tiles);
        var statistics = run.Data(_op.Statistics);
        var scales = run.Data(_op.Scales);
        for (var i = 0; i < _factors.Length; i++)
        {
            var (mean, deviation) = _statistics.Close(_input + ((_unchanged + i) * _imageSize), Scratch(i));
            var strength = (double)ControlAlignOp.Strength * scales[i];
            var ratio = deviation / ((double)statistics[(2 * i) + 1] + ControlAlignOp.Epsilon);
            (_factors[i], _shifts[i]) = ((float)(strength * ratio), (float)(strength * (mean - (statistics[2 * i] * ratio))));
        }

        _phase = Phase.Apply;
        run.Parallel(this, _images * _statistics.Cut.Tiles);
    }

    public override void Execute(int tile, int worker)
    {
        var (image, chunk) = Math.DivRem(tile, _statistics.Cut.Tiles);
        if (_phase == Phase.Measure)
        {
            _statistics.Measure(_input + ((_unchanged + image) * _imageSize), chunk, Scratch(image));
            return;
        }

        var (from, count) = _statistics.Cut[chunk];
        var source = _input + (image * _imageSize) + from;
        var destination = _output + (image * _imageSize) + from;
        var aligned = image - _unchanged;
        if (aligned < 0)
        {
            Pointwise.Copy(source, destination, count);
            return;
        }

        var pooled = _pooled + (aligned * _imageSize) + from;
        Pointwise.Affine<L, V>(pooled, _factors[aligned], _shifts[aligned], destination, count);
        Pointwise.Add<L, V>(source, destination, destination, count);
    }

    double* Scratch(int aligned) => _scratch + (aligned * _statistics.Cut.Tiles * 2L);
}
