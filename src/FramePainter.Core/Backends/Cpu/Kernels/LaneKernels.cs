using FramePainter.Backends.Cpu.Simd;
using FramePainter.Graphs;
using FramePainter.Tensors;

namespace FramePainter.Backends.Cpu.Kernels;

/// <summary>The kernels of all ops without a weight matrix, for the lanes of a path.</summary>
/// <param name="op">The op.</param>
/// <param name="weights">Where its vectors come from.</param>
internal readonly struct LaneKernels(Op op, CpuWeights weights) : ILanesFactory<CpuKernel>
{
    public CpuKernel Create<L, V>()
        where L : struct, ILanes<V>
        where V : struct => op switch
    {
        GroupNormOp norm => new GroupNormKernel<L, V>(norm, weights),
        LayerNormOp norm => new LayerNormKernel<L, V>(norm, weights),
        AttentionOp attention => weights.Numbers.Brain is { } brain && BrainTiles.TakesHeads(attention.HeadDim)
            ? new AssembledAttention<L, V>(attention, new AttentionTiles(brain, weights.Numbers.Paired))
            : weights.Numbers.Assembled(DType.F32) is { } kernels ? new AssembledAttention<L, V>(attention, new AttentionTiles(kernels, weights.Numbers.Paired))
            : new FloatAttention<L, V>(attention),
        AttentionProbabilitiesOp probabilities => new AttentionProbabilitiesKernel<L, V>(probabilities),
        TemporalAttentionOp attention => new TemporalAttentionKernel<L, V>(attention),
        ActivateOp activate => new ActivateKernel<L, V>(activate),
        BlendOp blend => new BlendKernel<L, V>(blend, weights),
        AddRowsOp add => new AddRowsKernel<L, V>(add),
        AddTokensOp add => new AddTokensKernel<L, V>(add),
        ScaleOp scale => new ScaleKernel<L, V>(scale),
        ControlPoolOp pool => new ControlPoolKernel<L, V>(pool),
        ControlAlignOp align => new ControlAlignKernel<L, V>(align),
        SinusoidOp sinusoid => new SinusoidKernel(sinusoid),
        SelectRowOp select => new SelectRowKernel(select),
        ClassTokenOp token => new ClassTokenKernel<L, V>(token, weights),
        JoinHalvesOp join => new JoinHalvesKernel<L, V>(join),
        EulerOp euler => new EulerKernel<L, V>(euler),
        _ => throw new NotSupportedException($"The CPU has no kernel for {op.GetType().Name} ('{op.Name}')."),
    };
}
