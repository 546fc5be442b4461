using FramePainter.Graphs;
using FramePainter.Weights;

namespace FramePainter.Model;

/// <summary>CLIP's vision tower with its projection: a picture becomes one row, the U-Net's context.</summary>
internal static class ClipVision
{
    static readonly Module Root = new("clip");

    /// <summary>The projected class token.</summary>
    /// <param name="g">The graph.</param>
    /// <param name="config">Sizes.</param>
    /// <param name="pixels">One normalised picture <c>[1, S, S, 3]</c>.</param>
    /// <returns><c>[1, projection]</c>.</returns>
    public static Value Build(GraphBuilder g, ClipVisionConfig config, Value pixels)
    {
        var (m, width, patch) = (Root["vision_model"], config.HiddenSize, config.PatchSize);
        var (heads, headDim) = (config.Heads, config.HiddenSize / config.Heads);
        var embeddings = m["embeddings"];
        var patches = g.Conv(
            pixels, WeightMatrix.Of(embeddings["patch_embedding"].Weight, width, pixels.Shape.Channels, patch * patch),
            stride: patch, padding: default(Padding), kernel: (patch, patch));
        var x = g.ClassToken(
            patches, WeightVector.Of(embeddings["class_embedding"].Path, width),
            WeightVector.Of(embeddings["position_embedding"].Weight, (patches.Shape.Tokens + 1) * width));

        // The missing letter is in the published tensor name.
        x = g.LayerNorm(m["pre_layrnorm"], x, (float)config.LayerNormEpsilon);
        for (var i = 0; i < config.Layers; i++)
        {
            var layer = m["encoder"]["layers"][i];
            var a = layer["self_attn"];
            var qkv = g.Stacked([a["q_proj"], a["k_proj"], a["v_proj"]], g.LayerNorm(layer["layer_norm1"], x, (float)config.LayerNormEpsilon), width, bias: true);
            var attended = g.Attention(new Qkv(new(qkv), new(qkv, width), new(qkv, 2 * width)), heads, headDim);
            x = g.Add(x, g.Linear(a["out_proj"], attended, width));

            var h = g.Linear(layer["mlp"]["fc1"], g.LayerNorm(layer["layer_norm2"], x, (float)config.LayerNormEpsilon), config.IntermediateSize);
            x = g.Add(x, g.Linear(layer["mlp"]["fc2"], g.Activate(h, config.QuickGelu ? Activation.QuickGelu : Activation.Gelu), width));
        }

        x = g.LayerNorm(m["post_layernorm"], g.SelectRow(x, 0), (float)config.LayerNormEpsilon);
        return g.Linear(Root["visual_projection"], x, config.ProjectionSize, bias: false);
    }
}
