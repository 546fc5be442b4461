using FramePainter.Graphs;

namespace FramePainter.Model;

/// <summary>Queries of all frames and the source's keys, as one spatial block has them: what says where the edited frame looks.</summary>
/// <param name="Block">The block.</param>
/// <param name="Query">Queries.</param>
/// <param name="Key">Keys of frame 0 of each half.</param>
/// <param name="Heads">Heads.</param>
/// <param name="HeadDim">Channels of one head.</param>
internal sealed record SourceHeads(Module Block, Channels Query, Channels Key, int Heads, int HeadDim);

/// <summary>What the transformer blocks of one attention kind and picture need to know.</summary>
/// <param name="Kind">How the edited frame sees the source (paper, section 3.3 and table 3).</param>
/// <param name="Context">CLIP rows <c>[r, D]</c>: one per half, or one per image.</param>
/// <param name="FrameIndex">0, 1, ...: as many numbers as there are frames.</param>
internal sealed record TransformerInputs(AttentionKind Kind, Value Context, Value FrameIndex)
{
    /// <summary>Drag points <c>[n, 4]</c> as <see cref="AddTokensOp"/> reads them, or null for none.</summary>
    public Value? Points { get; init; }

    /// <summary>Told of every spatial block that looks at the source, in their order; null when nobody wants to know.</summary>
    public Action<SourceHeads>? Tap { get; init; }

    public int Frames => (int)FrameIndex.Shape.Count;
}

/// <summary>The spatio-temporal transformer of SVD, with FramePainter's matching attention in every spatial block.</summary>
internal static class TransformerBlocks
{
    /// <summary>norm, proj_in, then pairs of a spatial and a temporal block, blended; proj_out, + input.</summary>
    public static Value SpatioTemporal(GraphBuilder g, Module m, Value x, int layers, int heads, int groups, TransformerInputs inputs)
    {
        var channels = x.Shape.Channels;
        var h = g.Linear(m["proj_in"], g.GroupNorm(m["norm"], x, groups, 1e-6f), channels);

        var position = FramePosition(g, m, inputs.FrameIndex, channels);
        var mix = m["time_mixer"]["mix_factor"].Path;
        for (var i = 0; i < layers; i++)
        {
            var spatial = Spatial(g, m["transformer_blocks"][i], h, heads, inputs);
            var temporal = Temporal(g, m["temporal_transformer_blocks"][i], g.AddRows(spatial, position, RowOrder.ByFrame), heads, inputs);
            h = g.Blend(spatial, MixScale.Alpha(mix), temporal, MixScale.OneMinusAlpha(mix));
        }

        return g.Add(x, g.Linear(m["proj_out"], h, channels));
    }

    /// <summary>A row for each frame: the sinusoid of its number through an MLP.</summary>
    public static Value FramePosition(GraphBuilder g, Module m, Value frameIndex, int channels)
    {
        var position = g.Sinusoid(frameIndex, channels, (int)frameIndex.Shape.Count);
        position = g.Silu(g.Linear(m["time_pos_embed"]["linear_1"], position, channels * 4));
        return g.Linear(m["time_pos_embed"]["linear_2"], position, channels);
    }

    /// <summary>Self and matching attention, cross-attention, feed-forward: within each frame. Drag points, if any, act on its output, before time is looked at.</summary>
    public static Value Spatial(GraphBuilder g, Module m, Value x, int heads, TransformerInputs inputs)
    {
        x = g.Add(SelfAndMatching(g, m, g.LayerNorm(m["norm1"], x), heads, inputs), x);
        x = g.AddRows(x, CrossRows(g, m["attn2"], inputs.Context, x.Shape.Channels));
        x = g.Add(FeedForward(g, m["ff"], g.LayerNorm(m["norm3"], x)), x);
        return inputs.Points is { } points ? g.AddTokens(x, points, inputs.Frames) : x;
    }

    /// <summary>Feed-forward, attention over the two frames, cross-attention, feed-forward: along time, position by position.</summary>
    public static Value Temporal(GraphBuilder g, Module m, Value x, int heads, TransformerInputs inputs)
    {
        var channels = x.Shape.Channels;
        x = g.Add(FeedForward(g, m["ff_in"], g.LayerNorm(m["norm_in"], x)), x);

        var a = m["attn1"];
        var qkv = g.Stacked([a["to_q"], a["to_k"], a["to_v"]], g.LayerNorm(m["norm1"], x), channels, bias: false);
        var attended = g.TemporalAttention(new Qkv(new(qkv), new(qkv, channels), new(qkv, 2 * channels)), heads, channels / heads);
        x = g.Add(g.Linear(a["to_out"][0], attended, channels), x);

        // A half's frames share the context of its first frame.
        var rowsPerHalf = Math.Max(1, inputs.Context.Shape[0] * inputs.Frames / x.Shape.Images);
        x = g.AddRows(x, CrossRows(g, m["attn2"], inputs.Context, channels, rowsPerHalf));
        return g.Add(FeedForward(g, m["ff"], g.LayerNorm(m["norm3"], x)), x);
    }

    /// <summary>
    /// Self-attention and matching attention (paper, section 3.3) in one op: the same tokens, with keys and values of every
    /// frame taken from frame 0 of the same half, whose projections are computed for that frame alone.
    /// Both outputs add up, so one product over the concatenated heads does both projections.
    /// </summary>
    static Value SelfAndMatching(GraphBuilder g, Module m, Value x, int heads, TransformerInputs inputs)
    {
        var (channels, frames) = (x.Shape.Channels, inputs.Frames);
        var headDim = channels / heads;
        var (self, matching) = (m["attn1"], m["sparse_attention"]);
        switch (inputs.Kind)
        {
            case AttentionKind.Matching:
                var p = g.Stacked([self["to_q"], self["to_k"], self["to_v"], matching["to_q"]], x, channels, bias: false);
                var source = g.Stacked([matching["to_k"], matching["to_v"]], x, channels, bias: false, imageStride: frames);
                inputs.Tap?.Invoke(new SourceHeads(m, new(p, 3 * channels), new(source), heads, headDim));
                var both = g.Attention(
                    new Qkv(new(p), new(p, channels), new(p, 2 * channels)), heads, headDim,
                    new Qkv(new(p, 3 * channels), new(source), new(source, channels)));
                return g.Summed([self["to_out"][0], matching["to_out"][0]], both, channels);

            case AttentionKind.CrossFrame:
                var q = g.Linear(self["to_q"], x, channels, bias: false);
                var kv = g.Stacked([self["to_k"], self["to_v"]], x, channels, bias: false, imageStride: frames);
                inputs.Tap?.Invoke(new SourceHeads(m, new(q), new(kv), heads, headDim));
                return g.Linear(self["to_out"][0], g.Attention(new Qkv(new(q), new(kv), new(kv, channels)), heads, headDim), channels);

            default:
                var qkv = g.Stacked([self["to_q"], self["to_k"], self["to_v"]], x, channels, bias: false);
                return g.Linear(self["to_out"][0], g.Attention(new Qkv(new(qkv), new(qkv, channels), new(qkv, 2 * channels)), heads, headDim), channels);
        }
    }

    /// <summary>
    /// Cross-attention to a single token: its softmax is 1, so it is to_out(to_v(context)), one row per context row,
    /// whatever the queries are. For the unconditional half's zero context that is the output's bias.
    /// </summary>
    static Value CrossRows(GraphBuilder g, Module m, Value context, int channels, int every = 1) =>
        g.Linear(m["to_out"][0], g.Linear(m["to_v"], context, channels, bias: false, imageStride: every), channels);

    static Value FeedForward(GraphBuilder g, Module m, Value x)
    {
        var channels = x.Shape.Channels;
        var gated = g.Activate(g.Linear(m["net"][0]["proj"], x, channels * 8), Activation.Geglu);
        return g.Linear(m["net"][2], gated, channels);
    }
}
