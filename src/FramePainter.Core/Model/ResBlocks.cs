using FramePainter.Graphs;

namespace FramePainter.Model;

/// <summary>
/// Where residual blocks get their row of the time embedding. The embeddings of all steps form a table, so that each block's
/// projection is one product per edit; the step's row is picked at run time.
/// </summary>
/// <param name="ActivatedTable">SiLU of the time embeddings, one row per step (or per image, without an index).</param>
/// <param name="Step">The step's number, or null when the rows belong to images.</param>
internal sealed record TimeRows(Value ActivatedTable, Value? Step)
{
    public Value Project(GraphBuilder g, Module projection, int channels)
    {
        var rows = g.Linear(projection, ActivatedTable, channels);
        return Step is null ? rows : g.SelectRow(rows, Step);
    }
}

/// <summary>Residual blocks: spatial, temporal, and the pair of both that SVD is made of.</summary>
internal static class ResBlocks
{
    /// <summary>norm, SiLU, conv, + time, norm, SiLU, conv, + input (through a 1×1 convolution where the widths differ).</summary>
    public static Value Spatial(GraphBuilder g, Module m, Operand x, int channels, TimeRows? time, int groups1, int groups2, float epsilon)
    {
        var h = g.Conv(m["conv1"], g.Silu(g.GroupNorm(m["norm1"], x, groups1, epsilon)), channels);
        if (time is not null)
        {
            h = g.AddRows(h, time.Project(g, m["time_emb_proj"], channels));
        }

        h = g.Conv(m["conv2"], g.Silu(g.GroupNorm(m["norm2"], h, groups2, epsilon)), channels);
        var shortcut = x.Channels == channels && x.Second is null ? x.First : g.Linear(m["conv_shortcut"], x, channels);
        return g.Add(shortcut, h);
    }

    /// <summary>The same over time: (3,1,1) convolutions, and norms that see the frames of a half together.</summary>
    public static Value Temporal(GraphBuilder g, Module m, Value x, TimeRows? time, int groups, float epsilon, int frames)
    {
        var channels = x.Shape.Channels;
        var h = g.TemporalConv(m["conv1"], g.Silu(g.GroupNorm(m["norm1"], x, groups, epsilon, frames)), channels, frames);
        if (time is not null)
        {
            h = g.AddRows(h, time.Project(g, m["time_emb_proj"], channels));
        }

        h = g.TemporalConv(m["conv2"], g.Silu(g.GroupNorm(m["norm2"], h, groups, epsilon, frames)), channels, frames);
        return g.Add(x, h);
    }

    /// <summary>A spatial and a temporal block, blended by the learned mix. The VAE's decoder weighs them the other way round.</summary>
    public static Value SpatioTemporal(GraphBuilder g, Module m, Operand x, int channels, TimeRows? time, int groups, float spatialEpsilon, float temporalEpsilon, int frames, bool switched = false)
    {
        var spatial = Spatial(g, m["spatial_res_block"], x, channels, time, groups, groups, spatialEpsilon);
        var temporal = Temporal(g, m["temporal_res_block"], spatial, time, groups, temporalEpsilon, frames);
        var mix = m["time_mixer"]["mix_factor"].Path;
        var (alpha, rest) = (MixScale.Alpha(mix), MixScale.OneMinusAlpha(mix));
        return switched ? g.Blend(spatial, rest, temporal, alpha) : g.Blend(spatial, alpha, temporal, rest);
    }
}
