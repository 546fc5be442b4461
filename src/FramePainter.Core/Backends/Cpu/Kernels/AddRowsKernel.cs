using FramePainter.Backends.Cpu.Simd;
using FramePainter.Graphs;

namespace FramePainter.Backends.Cpu.Kernels;

/// <summary>Adds a row of a table to every position of an image. Bound by memory.</summary>
internal sealed unsafe class AddRowsKernel<L, V>(AddRowsOp op) : CpuKernel
    where L : struct, ILanes<V>
    where V : struct
{
    readonly (int Images, int Tokens, int Width) _shape = (op.Output.Shape.Images, op.Output.Shape.Tokens, op.Output.Shape.Channels);
    readonly Cut _cut = Cut.Rows(op.Output.Shape.Tokens, op.Output.Shape.Channels);
    float* _input;
    float* _table;
    float* _output;

    public override void Run(CpuRun run)
    {
        _input = run.Data(op.Input);
        _table = run.Data(op.Rows.Table);
        _output = run.Data(op.Output);
        run.Parallel(this, _shape.Images * _cut.Tiles);
    }

    public override void Execute(int tile, int worker)
    {
        var (image, part) = Math.DivRem(tile, _cut.Tiles);
        var (from, count) = _cut[part];
        var row = _table + ((long)op.Rows.RowOf(image, _shape.Images) * _shape.Width);
        var at = (((long)image * _shape.Tokens) + from) * _shape.Width;
        for (var i = 0; i < count; i++, at += _shape.Width)
        {
            Pointwise.Add<L, V>(_input + at, row, _output + at, _shape.Width);
        }
    }
}
