using FramePainter.Graphs;
using FramePainter.Ilgpu.Kernels;
using ILGPU;

namespace FramePainter.Ilgpu.Steps;

/// <summary>Guidance by drag points.</summary>
internal sealed class AddTokensStep(AddTokensOp op, IlgpuBackend backend) : Step
{
    readonly Launcher<AddTokensArguments> _add = new(backend, AddTokensKernel.AddTokens);

    public override void Run(StepRun run)
    {
        var shape = op.Output.Shape;
        var arguments = new AddTokensArguments
        {
            Input = run[op.Input],
            Table = run[op.Points],
            Output = run[op.Output],
            Count = (int)shape.Count,
            Points = op.Points.Shape[0],
            Height = shape[1],
            Width = shape[2],
            Channels = shape.Channels,
            Source = shape.Images - op.Frames,
        };
        _add.Launch(run, new Index3D(Groups(shape.Count, AddTokensKernel.Threads), 1, 1), AddTokensKernel.Threads, arguments);
    }
}
