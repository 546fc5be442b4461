using FramePainter.Graphs;
using FramePainter.Ilgpu.Kernels;
using ILGPU;
using ILGPU.Runtime;

namespace FramePainter.Ilgpu.Steps;

/// <summary>Control features, normalised and pooled.</summary>
internal sealed class ControlPoolStep(ControlPoolOp op, IlgpuBackend backend) : Step
{
    readonly Moments _moments = new(backend, op.Input, 0, 1, 1, Spread.InverseDeviation, ControlPoolOp.Epsilon);
    readonly Launcher<ControlArguments> _pool = new(backend, ControlKernels.Pool);

    public override long ScratchFloats => _moments.ScratchFloats;

    public override void Run(StepRun run)
    {
        var (input, output) = (op.Input.Shape, op.Output.Shape);
        var arguments = new ControlArguments
        {
            Input = run[op.Input],
            Control = run[op.Input],
            Scales = run[op.Input],
            Statistics = _moments.Run(run, op.Input),
            Output = run[op.Output],
            Count = (int)output.Count,
            Height = input[1],
            Width = input[2],
            OutputHeight = output[1],
            OutputWidth = output[2],
            Channels = input.Channels,
        };
        _pool.Launch(run, new Index3D(Groups(output.Count, ControlKernels.Threads), 1, 1), ControlKernels.Threads, arguments);
    }
}

/// <summary>Control features joined to the last images.</summary>
internal sealed class ControlAlignStep : Step
{
    readonly ControlAlignOp _op;
    readonly int _unchanged;
    readonly Moments _moments;
    readonly Launcher<ControlArguments> _align;

    public ControlAlignStep(ControlAlignOp op, IlgpuBackend backend)
    {
        _op = op;
        _unchanged = op.Input.Shape.Images - op.Control.Shape.Images;
        _moments = new(backend, op.Input, _unchanged, 1, 1, Spread.Deviation, 0);
        _align = new(backend, ControlKernels.Align);
    }

    public override long ScratchFloats => _moments.ScratchFloats;

    public override void Run(StepRun run)
    {
        var shape = _op.Output.Shape;
        var arguments = new ControlArguments
        {
            Input = run[_op.Input],
            Control = run[_op.Control],
            Scales = run[_op.Scales],
            Statistics = _moments.Run(run, _op.Input),
            Output = run[_op.Output],
            Count = (int)shape.Count,
            ImageSize = (int)(shape.Count / shape.Images),
            Unchanged = _unchanged,
        };
        _align.Launch(run, new Index3D(Groups(shape.Count, ControlKernels.Threads), 1, 1), ControlKernels.Threads, arguments);
    }
}
