using FramePainter.Graphs;

namespace FramePainter.Backends.Cpu.Kernels;

/// <summary>One row of a table: a copy by the caller.</summary>
internal sealed unsafe class SelectRowKernel(SelectRowOp op) : CpuKernel
{
    readonly int _width = op.Output.Shape.Channels;
    readonly long _rows = op.Table.Shape.Count / Math.Max(1, op.Output.Shape.Channels);

    public override void Run(CpuRun run)
    {
        run.Cancel.ThrowIfCancellationRequested();
        var wanted = op.Index is { } index ? run.Data(index)[0] : op.Row;
        if (!(wanted >= 0 && wanted < _rows && wanted == MathF.Floor(wanted)))
        {
            throw new InvalidOperationException($"'{op.Name}' was asked for row {wanted} of a table of {_rows} rows; write a whole number below that.");
        }

        Pointwise.Copy(run.Data(op.Table) + ((long)wanted * _width), run.Data(op.Output), _width);
    }

    public override void Execute(int tile, int worker)
    {
    }
}
