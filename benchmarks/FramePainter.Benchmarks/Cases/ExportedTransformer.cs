using FramePainter.Graphs;
using FramePainter.Model;

namespace FramePainter.Benchmarks.Cases;

/// <summary>
/// The spatio-temporal transformer as an exporter finds it in the original: cross-attention to one token computed in full, both output
/// projections apart, attention spelled out as products and a softmax. Same weights, same result; what our model code saves exactly is not saved here.
/// </summary>
internal static class ExportedTransformer
{
    const int Frames = 2;

    public static Value Write(GraphBuilder g, Module m, Value x, int heads, int groups, Value context, Value position)
    {
        var channels = x.Shape.Channels;
        var h = g.Linear(m["proj_in"], g.GroupNorm(m["norm"], x, groups, 1e-6f), channels);
        var mix = m["time_mixer"]["mix_factor"].Path;
        var spatial = Spatial(g, m["transformer_blocks"][0], h, heads, context);
        var temporal = Temporal(g, m["temporal_transformer_blocks"][0], g.AddRows(spatial, position, RowOrder.ByFrame), heads, context);
        h = g.Blend(spatial, MixScale.Alpha(mix), temporal, MixScale.OneMinusAlpha(mix));
        return g.Add(x, g.Linear(m["proj_out"], h, channels));
    }

    static Value Spatial(GraphBuilder g, Module m, Value x, int heads, Value context)
    {
        var (channels, normed) = (x.Shape.Channels, g.LayerNorm(m["norm1"], x));
        var (self, matching) = (m["attn1"], m["sparse_attention"]);
        Value Projected(Module a, string name) => g.Linear(a[name], normed, channels, bias: false);
        var own = g.Attention(new Qkv(new(Projected(self, "to_q")), new(Projected(self, "to_k")), new(Projected(self, "to_v"))), heads, channels / heads);

        // Keys and values of every frame are frame 0's.
        Value OfSource(string name) => g.Linear(matching[name], normed, channels, bias: false, imageStride: Frames);
        var seen = g.Attention(new Qkv(new(Projected(matching, "to_q")), new(OfSource("to_k")), new(OfSource("to_v"))), heads, channels / heads);
        x = g.Add(g.Add(g.Linear(self["to_out"][0], own, channels), g.Linear(matching["to_out"][0], seen, channels)), x);
        x = g.Add(Cross(g, m, x, heads, context), x);
        return g.Add(FeedForward(g, m["ff"], g.LayerNorm(m["norm3"], x)), x);
    }

    static Value Temporal(GraphBuilder g, Module m, Value x, int heads, Value context)
    {
        var channels = x.Shape.Channels;
        x = g.Add(FeedForward(g, m["ff_in"], g.LayerNorm(m["norm_in"], x)), x);
        var (a, normed) = (m["attn1"], g.LayerNorm(m["norm1"], x));
        Channels Projected(string name) => new(g.Linear(a[name], normed, channels, bias: false));
        var attended = g.TemporalAttention(new Qkv(Projected("to_q"), Projected("to_k"), Projected("to_v")), heads, channels / heads);
        x = g.Add(g.Linear(a["to_out"][0], attended, channels), x);
        x = g.Add(Cross(g, m, x, heads, context), x);
        return g.Add(FeedForward(g, m["ff"], g.LayerNorm(m["norm3"], x)), x);
    }

    static Value Cross(GraphBuilder g, Module m, Value x, int heads, Value context)
    {
        var (a, channels) = (m["attn2"], x.Shape.Channels);
        var query = g.Linear(a["to_q"], g.LayerNorm(m["norm2"], x), channels, bias: false);
        Channels OfContext(string name) => new(g.Linear(a[name], context, channels, bias: false));
        return g.Linear(a["to_out"][0], g.Attention(new Qkv(new(query), OfContext("to_k"), OfContext("to_v")), heads, channels / heads), channels);
    }

    static Value FeedForward(GraphBuilder g, Module m, Value x)
    {
        var channels = x.Shape.Channels;
        return g.Linear(m["net"][2], g.Activate(g.Linear(m["net"][0]["proj"], x, channels * 8), Activation.Geglu), channels);
    }
}
