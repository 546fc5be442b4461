using FramePainter.Graphs;
using FramePainter.Weights;

namespace FramePainter.Model;

/// <summary>The sparse control encoder: one map of features per control frame, at an eighth of the picture's size.</summary>
internal static class ControlEncoder
{
    /// <summary>Epsilon of the plain group norms.</summary>
    const float PlainEpsilon = 1e-5f;

    /// <summary>Epsilon of the residual blocks.</summary>
    const float BlockEpsilon = 1e-6f;

    static readonly Module Root = new("control");

    /// <summary>The time embeddings of all steps, activated.</summary>
    /// <param name="g">The graph.</param>
    /// <param name="config">Widths, read off the tensors.</param>
    /// <param name="timesteps">t of each step.</param>
    public static Value TimeTable(GraphBuilder g, ControlEncoderConfig config, Value timesteps)
    {
        var (m, width) = (Root["time_embedding"], config.TimeEmbeddingWidth);
        var t = g.Sinusoid(timesteps, config.SinusoidWidth, (int)timesteps.Shape.Count);
        return g.Silu(g.Linear(m["linear_2"], g.Silu(g.Linear(m["linear_1"], t, width)), width));
    }

    /// <summary>Features of control frames.</summary>
    /// <param name="g">The graph.</param>
    /// <param name="config">Widths, read off the tensors.</param>
    /// <param name="frames">Control frames <c>[m, H, W, 3]</c>, 0..1.</param>
    /// <param name="time">The time embeddings.</param>
    /// <returns><c>[m, H/8, W/8, C]</c>.</returns>
    public static Value Build(GraphBuilder g, ControlEncoderConfig config, Value frames, TimeRows time)
    {
        var x = frames;
        for (var i = 0; i < 3; i++)
        {
            x = g.Conv(Root["embedding"][3 * i], x, config.StemWidths[i], stride: i == 0 ? 2 : 1);
            x = g.Activate(g.GroupNorm(Root["embedding"][(3 * i) + 1], x, ControlEncoderConfig.StemGroups, PlainEpsilon), Activation.Relu);
        }

        for (var i = 0; i < 2; i++)
        {
            var groups = ControlEncoderConfig.ResidualGroups[i];
            x = ResBlocks.Spatial(g, Root["down_res"][i], x, config.ResidualWidths[i], time, groups, groups, BlockEpsilon);
            x = g.Conv(Root["down_sample"][i]["conv"], x, x.Shape.Channels, stride: 2);
        }

        var m = Root["mid_convs"][0];
        var h = g.Activate(g.Conv(m[0], x, x.Shape.Channels), Activation.Relu);
        h = g.Conv(m[3], g.GroupNorm(m[2], h, ControlEncoderConfig.MiddleGroups, PlainEpsilon), x.Shape.Channels);
        x = g.Add(x, g.GroupNorm(m[4], h, ControlEncoderConfig.MiddleGroups, PlainEpsilon));
        return g.Linear(Root["mid_convs"][1], x, config.OutputWidth);
    }
}
