using FramePainter.Backends.Cpu.Simd;
using FramePainter.Graphs;

namespace FramePainter.Backends.Cpu.Kernels;

/// <summary>Control features, normalised per image and pooled (adaptive average). Bound by memory: two reads of the features, a quarter written.</summary>
internal sealed unsafe class ControlPoolKernel<L, V> : CpuKernel
    where L : struct, ILanes<V>
    where V : struct
{
    readonly ControlPoolOp _op;
    readonly ImageStatistics<L, V> _statistics;
    readonly (int Images, int Height, int Width, int Channels) _in;
    readonly int _height;
    readonly int _width;
    readonly (float High, float Low)[] _means;
    readonly float[] _factors;
    Phase _phase;
    float* _input;
    float* _pooled;
    double* _scratch;

    public ControlPoolKernel(ControlPoolOp op)
    {
        _op = op;
        var shape = op.Input.Shape;
        _in = (shape.Images, shape[1], shape[2], shape.Channels);
        (_height, _width) = (op.Output.Shape[1], op.Output.Shape[2]);
        _statistics = new ImageStatistics<L, V>(ImageSize);
        (_means, _factors) = (new (float, float)[_in.Images], new float[_in.Images]);
    }

    enum Phase
    {
        Measure,
        Pool,
    }

    public override long SharedScratchBytes => _in.Images * _statistics.BytesPerImage;

    long ImageSize => (long)_in.Height * _in.Width * _in.Channels;

    public override void Run(CpuRun run)
    {
        _input = run.Data(_op.Input);
        _pooled = run.Data(_op.Output);
        _scratch = (double*)run.Shared;
        _phase = Phase.Measure;
        run.Parallel(this, _in.Images * _statistics.Cut.Tiles);
        for (var image = 0; image < _in.Images; image++)
        {
            var (mean, deviation) = _statistics.Close(_input + (image * ImageSize), Scratch(image));
            // Two floats hold the mean to 48 bits: features far from zero keep their small differences.
            _means[image] = ((float)mean, (float)(mean - (float)mean));
            _factors[image] = (float)(1 / (deviation + ControlPoolOp.Epsilon));
        }

        _phase = Phase.Pool;
        run.Parallel(this, _in.Images * _height);
    }

    public override void Execute(int tile, int worker)
    {
        if (_phase == Phase.Measure)
        {
            var (image, chunk) = Math.DivRem(tile, _statistics.Cut.Tiles);
            _statistics.Measure(_input + (image * ImageSize), chunk, Scratch(image));
            return;
        }

        var (ofImage, y) = Math.DivRem(tile, _height);
        var rows = Window(y, _height, _in.Height);
        for (var x = 0; x < _width; x++)
        {
            var destination = _pooled + (((((long)ofImage * _height) + y) * _width) + x) * _in.Channels;
            Average(ofImage, rows, Window(x, _width, _in.Width), destination);
        }
    }

    static (int From, int To) Window(int index, int count, int extent) =>
        ((int)((long)index * extent / count), (int)((((long)index + 1) * extent + count - 1) / count));

    void Average(int ofImage, (int From, int To) rows, (int From, int To) columns, float* destination)
    {
        var channels = _in.Channels;
        var image = _input + (ofImage * ImageSize);
        var (high, low, factor) = (L.Create(-_means[ofImage].High), L.Create(-_means[ofImage].Low), L.Create(_factors[ofImage]));
        var share = L.Create(1f / ((rows.To - rows.From) * (columns.To - columns.From)));
        for (var c = 0; c < channels; c += L.Count)
        {
            var part = Math.Min(L.Count, channels - c);
            var sum = L.Zero;
            for (var y = rows.From; y < rows.To; y++)
            {
                for (var x = columns.From; x < columns.To; x++)
                {
                    var source = image + ((((long)y * _in.Width) + x) * channels) + c;
                    sum = L.Add(sum, L.Add(part == L.Count ? L.Load(source) : L.LoadPart(source, part), high));
                }
            }

            L.StorePart(destination + c, L.Multiply(L.Add(L.Multiply(sum, share), low), factor), part);
        }
    }

    double* Scratch(int image) => _scratch + (image * _statistics.Cut.Tiles * 2L);
}
