using System.Numerics;
using FramePainter.Graphs;

namespace FramePainter.Cuda.Kernels;

/// <content>Attention over the two frames of a half.</content>
internal sealed partial class LaunchList
{
    /// <summary>Halves in eights whose heads are a power of two of them within a warp, or one warp a query.</summary>
    void AttentionOverFrames(TemporalAttentionOp op)
    {
        var shape = op.Output.Shape;
        var items = (long)shape.Images / 2 * shape.Tokens * shape.Channels / Wide;
        var lanes = op.HeadDim / Wide;
        if (tuning.Naive || !Flash(op.Input) || op.HeadDim % Wide != 0 || !BitOperations.IsPow2(lanes) || lanes > 32 || items > int.MaxValue)
        {
            TemporalAttention(op);
            return;
        }

        Add("temporal_attention_8", (Blocks(items, BlockThreads), 1, 1), BlockThreads, 0, places =>
            Common(op.Output, op.Heads, op.HeadDim, shape.Images, shape.Tokens, places) with { Self = Set(op.Input, places) });
    }
}
