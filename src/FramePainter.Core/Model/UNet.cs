using FramePainter.Graphs;
using FramePainter.Weights;

namespace FramePainter.Model;

/// <summary>Control features ready to join the U-Net: normalised and pooled, one scale per image.</summary>
/// <param name="Pooled">Pooled features <c>[m, h, w, C]</c>.</param>
/// <param name="Scales">Control scale of each image, m numbers.</param>
internal sealed record ControlFeatures(Value Pooled, Value Scales);

/// <summary>SVD's spatio-temporal U-Net as FramePainter changes it: matching attention inside, control features joined after the first down block.</summary>
internal sealed class UNet(UNetConfig config, TransformerInputs inputs, TimeRows time)
{
    /// <summary>Epsilon of residual blocks in down blocks with attention and in all up blocks.</summary>
    const float BlockEpsilon = 1e-6f;

    /// <summary>Epsilon of residual blocks in the down block without attention and in the middle, and of conv_norm_out.</summary>
    const float PlainEpsilon = 1e-5f;

    static readonly Module Root = new("unet");

    readonly int _groups = config.NormGroups;

    /// <summary>The latents' extents after the first down block, where the control features join.</summary>
    public static int JoinExtent(UNetConfig config, int extent) => config.Levels > 1 ? (extent + 1) / 2 : extent;

    /// <summary>
    /// The table of time embeddings: sinusoid of t through an MLP, plus the three added ids (fps − 1, motion bucket, noise strength), each embedded on its own.
    /// </summary>
    /// <param name="g">The graph.</param>
    /// <param name="config">The U-Net's sizes.</param>
    /// <param name="timesteps">t of each step, n numbers.</param>
    /// <param name="addedIds">Added ids <c>[r, 3]</c>; more than one row only with a single t.</param>
    public static Value TimeTable(GraphBuilder g, UNetConfig config, Value timesteps, Value addedIds)
    {
        var width = config.TimeEmbeddingWidth;
        var t = g.Sinusoid(timesteps, config.BlockOutChannels[0], (int)timesteps.Shape.Count);
        t = g.Linear(Root["time_embedding"]["linear_2"], g.Silu(g.Linear(Root["time_embedding"]["linear_1"], t, width)), width);

        var ids = g.Sinusoid(addedIds, config.AddedTimeWidth, addedIds.Shape[0]);
        ids = g.Linear(Root["add_embedding"]["linear_2"], g.Silu(g.Linear(Root["add_embedding"]["linear_1"], ids, width)), width);
        return g.Silu(addedIds.Shape[0] == 1 ? g.AddRows(t, ids) : g.AddRows(ids, t));
    }

    /// <summary>conv_in on latents and image latents together, as the original has it: <c>[images, h, w, 8]</c>.</summary>
    public Value ConvIn(GraphBuilder g, Value sample) => g.Conv(Root["conv_in"], sample, config.BlockOutChannels[0]);

    /// <summary>
    /// conv_in split by input channel: both halves share the latents' part, the image latents' part is constant over the steps
    /// and zero for the unconditional half.
    /// </summary>
    /// <param name="g">The graph.</param>
    /// <param name="latents">Scaled latents <c>[frames, h, w, 4]</c>.</param>
    /// <param name="imageLatents">Image latents <c>[1, h, w, 4]</c>, the same for all frames.</param>
    /// <param name="halves">2 with guidance, 1 without.</param>
    public Value ConvInSplit(GraphBuilder g, Value latents, Value imageLatents, int halves)
    {
        var (m, width) = (Root["conv_in"], config.BlockOutChannels[0]);
        var weight = WeightMatrix.Of(m.Weight, width, latents.Shape.Channels, taps: 9);
        var shared = g.Conv(latents, weight, WeightVector.Of(m.Bias, width));
        var conditional = g.Conv(imageLatents, weight with { Inputs = imageLatents.Shape.Channels, FirstInput = latents.Shape.Channels });
        return g.JoinHalves(shared, conditional, halves);
    }

    /// <summary>Everything behind conv_in.</summary>
    /// <param name="g">The graph.</param>
    /// <param name="x">conv_in's output <c>[images, h, w, C]</c>.</param>
    /// <param name="control">Control features, or null for none.</param>
    /// <param name="deep">What the last up block is given, of an earlier step: nothing between the first down block and it is computed then. Null to compute it.</param>
    /// <returns>The prediction <c>[images, h, w, 4]</c>, and what the last up block was given.</returns>
    public (Value Prediction, Value Deep) Body(GraphBuilder g, Value x, ControlFeatures? control, Value? deep = null)
    {
        var skips = new Stack<Value>([x]);
        x = Down(g, 0, x, skips);
        var inner = deep ?? Inner(g, x, control, skips);
        x = Up(g, config.Levels - 1, inner, skips);
        return (g.Conv(Root["conv_out"], g.Silu(g.GroupNorm(Root["conv_norm_out"], x, _groups, PlainEpsilon)), UNetConfig.OutChannels), inner);
    }

    /// <summary>Everything between the layers of the first down block and the last up block; its skips are all used up.</summary>
    Value Inner(GraphBuilder g, Value x, ControlFeatures? control, Stack<Value> skips)
    {
        for (var level = 0; level < config.Levels; level++)
        {
            if (level > 0)
            {
                x = Down(g, level, x, skips);
            }

            if (level < config.Levels - 1)
            {
                x = g.Conv(Root["down_blocks"][level]["downsamplers"][0]["conv"], x, x.Shape.Channels, stride: 2);
                skips.Push(x);
            }

            if (level == 0 && control is not null)
            {
                x = g.ControlAlign(x, control.Pooled, control.Scales);
            }
        }

        x = Middle(g, x);
        for (var block = 0; block < config.Levels - 1; block++)
        {
            x = Up(g, block, x, skips);
        }

        return x;
    }

    Value Down(GraphBuilder g, int level, Value x, Stack<Value> skips)
    {
        var m = Root["down_blocks"][level];
        var attention = config.DownAttention[level];
        for (var i = 0; i < config.LayersPerBlock[level]; i++)
        {
            x = ResBlock(g, m["resnets"][i], x, config.BlockOutChannels[level], attention ? BlockEpsilon : PlainEpsilon);
            if (attention)
            {
                x = Transformer(g, m["attentions"][i], x, level);
            }

            skips.Push(x);
        }

        return x;
    }

    Value Middle(GraphBuilder g, Value x)
    {
        var (m, last) = (Root["mid_block"], config.Levels - 1);
        x = ResBlock(g, m["resnets"][0], x, x.Shape.Channels, PlainEpsilon);
        x = Transformer(g, m["attentions"][0], x, last);
        return ResBlock(g, m["resnets"][1], x, x.Shape.Channels, PlainEpsilon);
    }

    Value Up(GraphBuilder g, int block, Value x, Stack<Value> skips)
    {
        var (m, level) = (Root["up_blocks"][block], config.Levels - 1 - block);
        for (var i = 0; i <= config.LayersPerBlock[level]; i++)
        {
            x = ResBlock(g, m["resnets"][i], new Operand(x, skips.Pop()), config.BlockOutChannels[level], BlockEpsilon);
            if (config.UpAttention[block])
            {
                x = Transformer(g, m["attentions"][i], x, level);
            }
        }

        return level > 0 ? g.Conv(m["upsamplers"][0]["conv"], x, x.Shape.Channels, upsample: true) : x;
    }

    Value ResBlock(GraphBuilder g, Module m, Operand x, int channels, float epsilon) =>
        ResBlocks.SpatioTemporal(g, m, x, channels, time, _groups, epsilon, epsilon, inputs.Frames);

    Value Transformer(GraphBuilder g, Module m, Value x, int level) =>
        TransformerBlocks.SpatioTemporal(g, m, x, config.TransformerLayers[level], config.AttentionHeads[level], _groups, inputs);
}
