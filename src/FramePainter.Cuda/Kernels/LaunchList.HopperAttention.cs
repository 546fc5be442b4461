using System.Runtime.InteropServices;
using FramePainter.Graphs;

namespace FramePainter.Cuda.Kernels;

/// <content>Attention on Hopper: see kernels/hopper/attention.h.</content>
internal sealed partial class LaunchList
{
    const int HopperHead = 64;
    const int HopperQueries = 64;
    const int HopperKeys = 128;
    const int HopperQueryGroups = 3;
    const int HopperKeyStages = 4;

    /// <summary>Adds attention on wgmma where the device has it and heads are of 64; false where not.</summary>
    bool HopperAttention(AttentionOp op)
    {
        if (!context.IsHopper || tuning.Naive || op.HeadDim != HopperHead || !Flash(op.Self) || (op.Matching is { } second && !Flash(second)))
        {
            return false;
        }

        var shape = op.Output.Shape;
        var sets = op.Matching is null ? 1 : 2;
        var shared = (((HopperQueryGroups * HopperQueries) + (HopperKeyStages * HopperKeys)) * HopperHead * 2) + (((2 * HopperKeyStages) + 1) * sizeof(long)) + 1024;
        Add(
            "hopper_attention_64", (Blocks(shape.Tokens, HopperQueryGroups * HopperQueries), (long)shape.Images * op.Heads, sets), (HopperQueryGroups + 1) * 128, shared,
            places => new HopperAttentionArgs
            {
                Self = HopperSet(op.Self, places), Matching = op.Matching is { } matching ? HopperSet(matching, places) : default,
                Out = places[op.Output], Images = shape.Images, Tokens = shape.Tokens, Heads = op.Heads, OutChannels = shape.Channels,
                ScaleLog2 = (float)(Log2E / Math.Sqrt(HopperHead)),
            });
        return true;
    }

    HopperAttentionSet HopperSet(Qkv set, ValuePlaces places)
    {
        return new HopperAttentionSet
        {
            Query = Map(set.Query, HopperQueries), Key = Map(set.Key, HopperKeys), Value = Map(set.Value, HopperKeys),
            QueryChannel = set.Query.FirstChannel, KeyChannel = set.Key.FirstChannel, ValueChannel = set.Value.FirstChannel,
            Keys = set.Key.Value.Shape.Tokens, KeyImages = set.Key.Value.Shape.Images,
        };

        TensorMap Map(Channels part, int rows)
        {
            var shape = part.Value.Shape;
            return TensorMap.Of(
                context.Halves, places[part.Value].Data, [shape.Channels, shape.Tokens, shape.Images], [shape.Channels * 2L, (long)shape.Tokens * shape.Channels * 2], [HopperHead, rows, 1]);
        }
    }
}

/// <summary>One set of heads: as the struct of this name under kernels/hopper, filled up to a multiple of 64.</summary>
[StructLayout(LayoutKind.Sequential, Size = 448)]
internal struct HopperAttentionSet
{
    public TensorMap Query, Key, Value;
    public int QueryChannel, KeyChannel, ValueChannel, Keys, KeyImages;
}

/// <summary>Arguments of Hopper's attention: as the struct of this name under kernels/hopper.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct HopperAttentionArgs
{
    public HopperAttentionSet Self, Matching;
    public View Out;
    public int Images, Tokens, Heads, OutChannels;
    public float ScaleLog2;
}
