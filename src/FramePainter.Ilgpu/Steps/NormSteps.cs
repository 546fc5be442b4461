using FramePainter.Graphs;
using FramePainter.Ilgpu.Kernels;
using ILGPU;
using ILGPU.Runtime;

namespace FramePainter.Ilgpu.Steps;

/// <summary>Mean and spread of images, left in scratch memory.</summary>
internal sealed class Moments
{
    /// <summary>Positions of a run: few enough for a second look from the cache, enough to keep the second step small.</summary>
    const int MostRun = 256;

    readonly Launcher<MomentArguments> _measure;
    readonly Launcher<MomentArguments> _join;
    readonly MomentArguments _arguments;
    readonly int _images;
    readonly int _channels;

    public Moments(IlgpuBackend backend, Operand input, int firstImage, int groups, int frames, Spread spread, float epsilon)
    {
        _measure = new(backend, MomentKernels.Measure);
        _join = new(backend, MomentKernels.Join);
        var tokens = input.Shape.Tokens;
        _images = input.Shape.Images - firstImage;
        _channels = input.Channels;
        _arguments = new MomentArguments
        {
            FirstImage = firstImage,
            Tokens = tokens,
            Run = Math.Min(tokens, MostRun),
            Runs = (tokens + MostRun - 1) / MostRun,
            Groups = groups,
            Frames = frames,
            Spread = (int)spread,
            Epsilon = epsilon,
        };
    }

    /// <summary>Floats of scratch that it takes.</summary>
    public long ScratchFloats => ResultFloats + (2L * _images * _arguments.Runs * _channels);

    int ResultFloats => 2 * _images / _arguments.Frames * _arguments.Groups;

    /// <summary>Queues both steps; returns where mean and spread will be, <c>[set of images][group][2]</c>.</summary>
    public ArrayView<float> Run(StepRun run, Operand input)
    {
        var arguments = _arguments;
        arguments.Input = run.Pair(input);
        arguments.Result = run.Scratch.SubView(0, ResultFloats);
        arguments.Partial = run.Scratch.SubView(ResultFloats, ScratchFloats - ResultFloats);
        var blocks = (_channels + MomentKernels.Channels - 1) / MomentKernels.Channels;
        _measure.Launch(run, new Index3D(blocks, arguments.Runs, _images), MomentKernels.Threads, arguments);
        _join.Launch(run, new Index3D(arguments.Groups, _images / arguments.Frames, 1), MomentKernels.Threads, arguments);
        return arguments.Result;
    }
}

/// <summary>Group normalisation: measure, join, apply.</summary>
internal sealed class GroupNormStep(GroupNormOp op, IlgpuWeights weights) : Step
{
    readonly Moments _moments = new(weights.Backend, op.Input, 0, op.Groups, op.Frames, Spread.InverseRoot, op.Epsilon);
    readonly Launcher<GroupNormArguments> _apply = new(weights.Backend, NormKernels.GroupNorm);
    readonly ArrayView<float> _gamma = weights.Vector(op.Gamma);
    readonly ArrayView<float> _beta = weights.Vector(op.Beta);

    public override long ScratchFloats => _moments.ScratchFloats;

    public override void Run(StepRun run)
    {
        var shape = op.Output.Shape;
        var arguments = new GroupNormArguments
        {
            Input = run.Pair(op.Input),
            Statistics = _moments.Run(run, op.Input),
            Gamma = _gamma,
            Beta = _beta,
            Output = run[op.Output],
            Count = (int)shape.Count,
            Positions = shape.Tokens * op.Frames,
            Groups = op.Groups,
            Activation = (int)op.Activation,
        };
        _apply.Launch(run, new Index3D(Groups(shape.Count, NormKernels.Threads), 1, 1), NormKernels.Threads, arguments);
    }
}

/// <summary>Layer normalisation.</summary>
internal sealed class LayerNormStep(LayerNormOp op, IlgpuWeights weights) : Step
{
    readonly Launcher<LayerNormArguments> _normalise = new(weights.Backend, NormKernels.LayerNorm);
    readonly ArrayView<float> _gamma = weights.Vector(op.Gamma);
    readonly ArrayView<float> _beta = weights.Vector(op.Beta);

    public override void Run(StepRun run)
    {
        var shape = op.Output.Shape;
        var positions = (int)(shape.Count / Math.Max(1, shape.Channels));
        var arguments = new LayerNormArguments
        {
            Input = run[op.Input],
            Gamma = _gamma,
            Beta = _beta,
            Output = run[op.Output],
            Rows = run.Rows(op.Rows, op.Output),
            Positions = positions,
            Channels = shape.Channels,
            Epsilon = op.Epsilon,
        };
        _normalise.Launch(run, new Index3D(Groups(positions, NormKernels.Threads / NormKernels.Lanes), 1, 1), NormKernels.Threads, arguments);
    }
}
