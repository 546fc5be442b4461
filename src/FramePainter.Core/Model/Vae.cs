using FramePainter.Graphs;
using FramePainter.Weights;

namespace FramePainter.Model;

/// <summary>SVD's autoencoder: a picture encoder and a decoder that sees all frames at once.</summary>
internal static class Vae
{
    const float Epsilon = 1e-6f;

    /// <summary>Epsilon of the decoder's temporal residual blocks.</summary>
    const float TemporalEpsilon = 1e-5f;

    static readonly Module Root = new("vae");

    /// <summary>The mode of the posterior, not scaled.</summary>
    /// <param name="g">The graph.</param>
    /// <param name="config">Widths.</param>
    /// <param name="image">Pictures <c>[n, H, W, 3]</c>, −1..1.</param>
    /// <returns>Latents <c>[n, H/f, W/f, 4]</c>.</returns>
    public static Value Encode(GraphBuilder g, VaeConfig config, Value image)
    {
        var (m, groups, widths) = (Root["encoder"], config.NormGroups, config.BlockOutChannels);
        var x = g.Conv(m["conv_in"], image, widths[0]);
        for (var level = 0; level < widths.Count; level++)
        {
            var block = m["down_blocks"][level];
            for (var i = 0; i < config.LayersPerBlock; i++)
            {
                x = ResBlocks.Spatial(g, block["resnets"][i], x, widths[level], null, groups, groups, Epsilon);
            }

            if (level < widths.Count - 1)
            {
                // Zeros to the right and below only.
                x = g.Conv(block["downsamplers"][0]["conv"], x, widths[level], stride: 2, padding: new Padding(0, 0, 1, 1));
            }
        }

        var middle = m["mid_block"];
        x = ResBlocks.Spatial(g, middle["resnets"][0], x, x.Shape.Channels, null, groups, groups, Epsilon);
        x = Attention(g, middle["attentions"][0], x, groups);
        x = ResBlocks.Spatial(g, middle["resnets"][1], x, x.Shape.Channels, null, groups, groups, Epsilon);
        x = g.Conv(m["conv_out"], g.Silu(g.GroupNorm(m["conv_norm_out"], x, groups, Epsilon)), 2 * VaeConfig.LatentChannels);

        // quant_conv makes mean and log-variance; the mode is the mean, its first half.
        var quant = Root["quant_conv"];
        return g.Linear(x, WeightMatrix.Of(quant.Weight, VaeConfig.LatentChannels, x.Shape.Channels), WeightVector.Of(quant.Bias, VaeConfig.LatentChannels));
    }

    /// <summary>Pictures of all frames of one edit.</summary>
    /// <param name="g">The graph.</param>
    /// <param name="config">Widths.</param>
    /// <param name="latents">Latents divided by the scaling factor <c>[frames, h, w, 4]</c>.</param>
    /// <returns>Pictures <c>[frames, H, W, 3]</c>, about −1..1.</returns>
    public static Value Decode(GraphBuilder g, VaeConfig config, Value latents)
    {
        var (m, groups, widths, frames) = (Root["decoder"], config.NormGroups, config.BlockOutChannels, latents.Shape.Images);
        Value Block(Module module, Value x, int channels) =>
            ResBlocks.SpatioTemporal(g, module, x, channels, null, groups, Epsilon, TemporalEpsilon, frames, switched: true);

        var x = g.Conv(m["conv_in"], latents, widths[^1]);

        // The middle holds layers_per_block residual blocks, but its single attention pairs with the second: a third is never run.
        var middle = m["mid_block"];
        x = Block(middle["resnets"][0], x, x.Shape.Channels);
        if (config.LayersPerBlock > 1)
        {
            x = Attention(g, middle["attentions"][0], x, groups);
            x = Block(middle["resnets"][1], x, x.Shape.Channels);
        }

        for (var i = 0; i < widths.Count; i++)
        {
            var (block, width) = (m["up_blocks"][i], widths[widths.Count - 1 - i]);
            for (var j = 0; j <= config.LayersPerBlock; j++)
            {
                x = Block(block["resnets"][j], x, width);
            }

            if (i < widths.Count - 1)
            {
                x = g.Conv(block["upsamplers"][0]["conv"], x, width, upsample: true);
            }
        }

        x = g.Conv(m["conv_out"], g.Silu(g.GroupNorm(m["conv_norm_out"], x, groups, Epsilon)), VaeConfig.PictureChannels);
        return g.TemporalConv(m["time_conv_out"], x, VaeConfig.PictureChannels, frames);
    }

    /// <summary>Self-attention with one head over all channels, biases everywhere.</summary>
    static Value Attention(GraphBuilder g, Module m, Value x, int groups)
    {
        var channels = x.Shape.Channels;
        var qkv = g.Stacked([m["to_q"], m["to_k"], m["to_v"]], g.GroupNorm(m["group_norm"], x, groups, Epsilon), channels, bias: true);
        var attended = g.Attention(new Qkv(new(qkv), new(qkv, channels), new(qkv, 2 * channels)), 1, channels);
        return g.Add(x, g.Linear(m["to_out"][0], attended, channels));
    }
}
