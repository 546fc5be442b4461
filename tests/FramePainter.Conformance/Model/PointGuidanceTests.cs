using FramePainter.Graphs;
using FramePainter.Model;
using FramePainter.Pipeline;

namespace FramePainter.Conformance;

/// <summary>Guidance by drag points in the transformer, against the same computation cut open by hand on the golden inputs.</summary>
public sealed class PointGuidanceTests
{
    const int Frames = 2;

    /// <summary>Source column and row, target column and row, as shares; the second shares the first's target, the third is padding.</summary>
    static readonly double[] s_points = [0.125, 0.875, 0.625, 0.375, 0.875, 0.125, 0.625, 0.375, -1, -1, -1, -1, 0, 0, 0.9375, 0.9375];

    public static TheoryData<string> Transformers => GoldenTransformer.OfKind("transformer");

    [Theory]
    [MemberData(nameof(Transformers))]
    public void Tokens_are_added_behind_the_spatial_block_and_nowhere_else(string name)
    {
        using var golden = new GoldenTransformer(name);
        var (shape, x) = GoldenTransformer.ChannelsLast(golden.Input("x"));
        var (contextShape, context) = golden.Input("context");
        var without = Whole(golden, shape, x, contextShape, context, points: false);
        var with = Whole(golden, shape, x, contextShape, context, points: true);
        AssertNear(GoldenTransformer.ChannelsLast(golden.Output("y")).Values, without, 1e-5);

        var spatial = Spatial(golden, shape, x, contextShape, context);
        AddByHand(spatial["spatial"], shape);
        AssertNear(Behind(golden, shape, x, spatial, contextShape, context), with, 1e-12);

        // The unconditional half keeps its bits; the conditional one is changed in both frames, for time mixes them, but at the targets alone.
        var half = x.Length / 2;
        Assert.Equal(without.AsSpan(0, half), with.AsSpan(0, half));
        var channels = (int)shape[3];
        var changed = Enumerable.Range(0, x.Length / channels).Where(p => Enumerable.Range(p * channels, channels).Any(i => without[i] != with[i])).ToArray();
        var plane = (int)(shape[1] * shape[2]);
        int[] targets = [Token(0.625, 0.375, shape), Token(0.9375, 0.9375, shape)];
        Assert.Equal(targets.Order().SelectMany(t => new[] { t + (2 * plane), t + (3 * plane) }).Order(), changed);
    }

    [Theory]
    [InlineData(AttentionKind.Matching)]
    [InlineData(AttentionKind.CrossFrame)]
    [InlineData(AttentionKind.Temporal)]
    public void Every_spatial_block_of_the_U_Net_is_guided_and_no_plan_without_points_changes(AttentionKind kind)
    {
        using var golden = new GoldenTransformer("tiny-transformer-a");
        var networks = new Networks(golden.Checkpoint, kind);
        var key = new DenoiseKey(64, 64, 2, 2, 2);
        Assert.DoesNotContain(networks.Denoiser(key).Step.Graph.Ops, op => op is AddTokensOp);
        var step = networks.Denoiser(key with { Points = 5 }).Step.Graph;
        Assert.Equal(step.Ops.Count(op => op is AttentionOp), step.Ops.Count(op => op is AddTokensOp));
        // Three down blocks of one layer, the middle, three up blocks of two.
        Assert.Equal(10, step.Ops.Count(op => op is AddTokensOp));
        Assert.Equal(networks.Denoiser(key).Step.Graph.Ops.Length + 10, step.Ops.Length);
    }

    static double[] Whole(GoldenTransformer golden, long[] shape, double[] x, long[] contextShape, double[] context, bool points)
    {
        var g = new GraphBuilder();
        var inputs = Inputs(g, contextShape) with { Points = points ? g.Input("points", Rate.Edit, s_points.Length / 4, 4) : null };
        g.Output(TransformerBlocks.SpatioTemporal(g, golden.Block, g.Input("x", Rate.Edit, shape), 1, golden.Heads, golden.Checkpoint.UNet.NormGroups, inputs), "y");
        (string, double[])[] given = [("x", x), ("context", context), ("frame_index", [0, 1]), .. points ? new[] { ("points", s_points) } : []];
        return golden.Run(g, given)["y"];
    }

    /// <summary>The transformer up to the spatial block's output.</summary>
    static Dictionary<string, double[]> Spatial(GoldenTransformer golden, long[] shape, double[] x, long[] contextShape, double[] context)
    {
        var (g, m) = (new GraphBuilder(), golden.Block);
        var input = g.Input("x", Rate.Edit, shape);
        var h = g.Linear(m["proj_in"], g.GroupNorm(m["norm"], input, golden.Checkpoint.UNet.NormGroups, 1e-6f), (int)shape[3]);
        g.Output(TransformerBlocks.Spatial(g, m["transformer_blocks"][0], h, golden.Heads, Inputs(g, contextShape)), "spatial");
        return golden.Run(g, ("x", x), ("context", context), ("frame_index", [0, 1]));
    }

    /// <summary>The transformer behind the spatial block: temporal block, blend, projection, residual.</summary>
    static double[] Behind(GoldenTransformer golden, long[] shape, double[] x, Dictionary<string, double[]> spatial, long[] contextShape, double[] context)
    {
        var (g, m, channels) = (new GraphBuilder(), golden.Block, (int)shape[3]);
        var (input, h, inputs) = (g.Input("x", Rate.Edit, shape), g.Input("spatial", Rate.Edit, shape), Inputs(g, contextShape));
        var position = g.Sinusoid(inputs.FrameIndex, channels, Frames);
        position = g.Linear(m["time_pos_embed"]["linear_2"], g.Silu(g.Linear(m["time_pos_embed"]["linear_1"], position, channels * 4)), channels);
        var temporal = TransformerBlocks.Temporal(g, m["temporal_transformer_blocks"][0], g.AddRows(h, position, RowOrder.ByFrame), golden.Heads, inputs);
        var mix = m["time_mixer"]["mix_factor"].Path;
        var blended = g.Blend(h, MixScale.Alpha(mix), temporal, MixScale.OneMinusAlpha(mix));
        g.Output(g.Add(input, g.Linear(m["proj_out"], blended, channels)), "y");
        return golden.Run(g, ("x", x), ("spatial", spatial["spatial"]), ("context", context), ("frame_index", [0, 1]))["y"];
    }

    static void AddByHand(double[] tokens, long[] shape)
    {
        var (plane, channels) = ((int)(shape[1] * shape[2]), (int)shape[3]);
        var before = (double[])tokens.Clone();
        for (var p = 0; p < s_points.Length; p += 4)
        {
            if (s_points[p] < 0)
            {
                continue;
            }

            // Image 2 is the conditional half's source, image 3 its edit.
            var source = (2 * plane) + Token(s_points[p], s_points[p + 1], shape);
            var target = (3 * plane) + Token(s_points[p + 2], s_points[p + 3], shape);
            for (var c = 0; c < channels; c++)
            {
                tokens[(target * channels) + c] += before[(source * channels) + c];
            }
        }
    }

    static int Token(double x, double y, long[] shape) => ((int)(y * shape[1]) * (int)shape[2]) + (int)(x * shape[2]);

    static TransformerInputs Inputs(GraphBuilder g, long[] contextShape) =>
        new(AttentionKind.Matching, g.Input("context", Rate.Edit, contextShape[0], contextShape[^1]), g.Input("frame_index", Rate.Edit, Frames));

    static void AssertNear(double[] expected, double[] actual, double limit)
    {
        Assert.Equal(expected.Length, actual.Length);
        var difference = Math.Sqrt(expected.Zip(actual, (a, b) => (a - b) * (a - b)).Sum() / expected.Sum(a => a * a));
        Assert.True(difference <= limit, $"relative difference {difference:g3}, allowed {limit:g3}");
    }
}
