using FramePainter.Graphs;
using FramePainter.Ilgpu.Kernels;
using ILGPU.Runtime;
using ILGPU;

namespace FramePainter.Ilgpu.Steps;

/// <summary>What the kinds of attention have in common.</summary>
internal static class AttentionFields
{
    public static AttentionSet Set(StepRun run, Qkv set) => new()
    {
        Query = run[set.Query.Value],
        Key = run[set.Key.Value],
        Value = run[set.Value.Value],
        QueryStride = set.Query.Value.Shape.Channels,
        KeyStride = set.Key.Value.Shape.Channels,
        ValueStride = set.Value.Value.Shape.Channels,
        QueryFirst = set.Query.FirstChannel,
        KeyFirst = set.Key.FirstChannel,
        ValueFirst = set.Value.FirstChannel,
        KeyImages = set.Key.Value.Shape.Images,
        Keys = set.Key.Value.Shape.Tokens,
    };

    public static AttentionArguments Arguments(StepRun run, Qkv self, Qkv? matching, Value output, int heads, int headDim) => new()
    {
        Self = Set(run, self),
        Matching = Set(run, matching ?? self),
        Output = run[output],
        OutputStride = output.Shape.Channels,
        Images = self.Query.Value.Shape.Images,
        Tokens = self.Query.Value.Shape.Tokens,
        Heads = heads,
        HeadDim = headDim,
        Parts = (headDim + AttentionKernel.Channels - 1) / AttentionKernel.Channels,
        Scale = (float)(1 / Math.Sqrt(headDim)),
    };
}

/// <summary>Attention, both sets of heads in one launch.</summary>
internal sealed class AttentionStep(AttentionOp op, IlgpuBackend backend) : Step
{
    readonly Launcher<AttentionArguments> _attend = new(backend, AttentionKernel.Attend);

    public override void Run(StepRun run)
    {
        var arguments = AttentionFields.Arguments(run, op.Self, op.Matching, op.Output, op.Heads, op.HeadDim);
        var sets = op.Matching is null ? 1 : 2;
        var grid = new Index3D(Groups(arguments.Tokens, AttentionKernel.Queries), arguments.Images * op.Heads, sets * arguments.Parts);
        _attend.Launch(run, grid, AttentionKernel.Threads, arguments);
    }
}

/// <summary>Probabilities written out.</summary>
internal sealed class ProbabilitiesStep(AttentionProbabilitiesOp op, IlgpuBackend backend) : Step
{
    readonly Launcher<AttentionArguments> _probabilities = new(backend, SmallAttentionKernels.Probabilities);

    public override void Run(StepRun run)
    {
        var arguments = AttentionFields.Arguments(run, new Qkv(op.Query, op.Key, op.Key), null, op.Output, op.Heads, op.HeadDim);
        _probabilities.Launch(run, new Index3D(arguments.Tokens, arguments.Images * op.Heads, 1), SmallAttentionKernels.Threads, arguments);
    }
}

/// <summary>Attention over two frames.</summary>
internal sealed class TemporalAttentionStep(TemporalAttentionOp op, IlgpuBackend backend) : Step
{
    readonly Launcher<AttentionArguments> _temporal = new(backend, SmallAttentionKernels.Temporal);

    public override void Run(StepRun run)
    {
        var arguments = AttentionFields.Arguments(run, op.Input, null, op.Output, op.Heads, op.HeadDim);
        var items = (long)arguments.Images / 2 * arguments.Tokens * op.Heads;
        _temporal.Launch(
            run, new Index3D(Groups(items, SmallAttentionKernels.Threads / SmallAttentionKernels.Lanes), 1, 1), SmallAttentionKernels.Threads, arguments);
    }
}
