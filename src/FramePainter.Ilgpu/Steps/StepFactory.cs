using FramePainter.Graphs;
using FramePainter.Ilgpu.Kernels;

namespace FramePainter.Ilgpu.Steps;

/// <summary>Which step does which op.</summary>
internal static class StepFactory
{
    public static Step Create(Op op, IlgpuWeights weights) => op switch
    {
        LinearOp o => ProductStep.Create(o, weights, run => new LinearRows
        {
            Input = run.Pair(o.Input), Tokens = o.Output.Shape.Tokens, ImageStride = o.ImageStride,
        }),
        ConvOp o => ProductStep.Create(o, weights, run => new PatchRows
        {
            Input = run.Pair(o.Input), Height = o.Input.Shape[1], Width = o.Input.Shape[2],
            OutputHeight = o.Output.Shape[1], OutputWidth = o.Output.Shape[2], KernelHeight = o.KernelHeight, KernelWidth = o.KernelWidth,
            Stride = o.Stride, Top = o.Padding.Top, Left = o.Padding.Left, Doubling = o.Upsample ? 1 : 0,
        }),
        TemporalConvOp o => ProductStep.Create(o, weights, run => new FrameRows
        {
            Input = run.Pair(o.Input), Tokens = o.Output.Shape.Tokens, Frames = o.Frames,
        }),
        GroupNormOp o => new GroupNormStep(o, weights),
        LayerNormOp o => new LayerNormStep(o, weights),
        AttentionOp o => new AttentionStep(o, weights.Backend),
        AttentionProbabilitiesOp o => new ProbabilitiesStep(o, weights.Backend),
        TemporalAttentionOp o => new TemporalAttentionStep(o, weights.Backend),
        ControlPoolOp o => new ControlPoolStep(o, weights.Backend),
        ControlAlignOp o => new ControlAlignStep(o, weights.Backend),
        AddTokensOp o => new AddTokensStep(o, weights.Backend),
        AddRowsOp o => new AddRowsStep(o, weights.Backend),
        ActivateOp or BlendOp or ScaleOp or SinusoidOp or SelectRowOp or ClassTokenOp or JoinHalvesOp or EulerOp => PointwiseSteps.Create(op, weights),
        _ => throw new NotSupportedException($"'{op.Name}' is a {op.GetType().Name}, for which this backend has no kernel."),
    };
}
