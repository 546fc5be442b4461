using FramePainter.Backends.Cpu.Simd;
using FramePainter.Graphs;

namespace FramePainter.Backends.Cpu.Kernels;

/// <summary>
/// Adds the source frame's tokens at a handful of points to those of the edited frame: a copy of everything, then the points, one after the other
/// because they may share a target. Bound by memory; the points themselves are next to nothing.
/// </summary>
internal sealed unsafe class AddTokensKernel<L, V>(AddTokensOp op) : CpuKernel
    where L : struct, ILanes<V>
    where V : struct
{
    readonly (int Images, int Height, int Width, int Channels) _shape = (op.Output.Shape.Images, op.Output.Shape[1], op.Output.Shape[2], op.Output.Shape.Channels);
    readonly Cut _cut = Cut.Elements(op.Output.Shape.Count);
    readonly int _points = op.Points.Shape[0];
    float* _input;
    float* _output;

    public override void Run(CpuRun run)
    {
        _input = run.Data(op.Input);
        _output = run.Data(op.Output);
        run.Parallel(this, _cut.Tiles);

        var row = run.Data(op.Points);
        for (var p = 0; p < _points; p++, row += AddTokensOp.Columns)
        {
            if (row[0] >= 0 && row[1] >= 0 && row[2] >= 0 && row[3] >= 0)
            {
                AddPoint(Token(row[0], row[1]), Token(row[2], row[3]));
            }
        }
    }

    public override void Execute(int tile, int worker)
    {
        var (from, count) = _cut[tile];
        Pointwise.Copy(_input + from, _output + from, count);
    }

    void AddPoint(long source, long target)
    {
        var first = _shape.Images - op.Frames;
        for (var image = first + 1; image < _shape.Images; image++)
        {
            var to = _output + At(image, target);
            Pointwise.Add<L, V>(to, _input + At(first, source), to, _shape.Channels);
        }
    }

    long At(int image, long token) => (((long)image * _shape.Height * _shape.Width) + token) * _shape.Channels;

    long Token(float x, float y) => ((long)Cell(y, _shape.Height) * _shape.Width) + Cell(x, _shape.Width);

    static int Cell(float share, int count) => (int)MathF.Min(MathF.Floor(share * count), count - 1);
}
