using FramePainter.Graphs;
using FramePainter.Model;
using FramePainter.Pipeline;

namespace FramePainter.Conformance;

/// <summary>What is captured of matching attention, against the golden probabilities.</summary>
public sealed class MatchCaptureTests
{
    public static TheoryData<string> Blocks => GoldenTransformer.OfKind("matching");

    [Theory]
    [MemberData(nameof(Blocks))]
    public void The_tapped_heads_give_the_golden_probabilities(string name)
    {
        using var golden = new GoldenTransformer(name);
        var (shape, x) = golden.Input("x");
        var (contextShape, context) = golden.Input("context");
        var g = new GraphBuilder();
        var tapped = new List<SourceHeads>();
        var inputs = new TransformerInputs(AttentionKind.Matching, g.Input("context", Rate.Edit, contextShape[0], contextShape[^1]), g.Input("frame_index", Rate.Edit, 2)) { Tap = tapped.Add };
        g.Output(TransformerBlocks.Spatial(g, golden.Block, g.Input("x", Rate.Edit, shape), golden.Heads, inputs), "y");
        var heads = Assert.Single(tapped);
        Assert.Equal(golden.Block, heads.Block);
        g.Output(g.AttentionProbabilities(heads.Query, heads.Key, heads.Heads, heads.HeadDim), "matches");
        var outputs = golden.Run(g, ("x", x), ("context", context), ("frame_index", [0, 1]));
        AssertNear(golden.Output("y").Values, outputs["y"]);
        AssertNear(golden.Output("matching_probabilities").Values, outputs["matches"]);
    }

    [Fact]
    public void Only_a_capturing_plan_writes_probabilities_and_only_of_its_block()
    {
        using var golden = new GoldenTransformer("tiny-matching-a");
        var networks = new Networks(golden.Checkpoint, AttentionKind.Matching);
        var key = new DenoiseKey(128, 64, 2, 2, 2);
        Assert.DoesNotContain(networks.Denoiser(key).Step.Graph.Ops, op => op is AttentionProbabilitiesOp);
        Assert.Equal([8, 16, 32, 64, 32, 32, 16, 16, 8, 8], networks.AttentionBlocks.Select(b => b.PixelsPerToken));
        foreach (var block in networks.AttentionBlocks)
        {
            var step = networks.Denoiser(key with { CapturedBlock = block.Index + 1 }).Step.Graph;
            Assert.Equal(networks.Denoiser(key).Step.Graph.Ops.Length + 1, step.Ops.Length);
            var op = Assert.Single(step.Ops.OfType<AttentionProbabilitiesOp>());
            Assert.Equal(128 * 64 / block.PixelsPerToken / block.PixelsPerToken, op.Output.Shape[2]);
            var attention = Assert.Single(step.Ops.OfType<AttentionOp>(), a => a.Matching!.Value.Key == op.Key);
            Assert.Equal(attention.Matching!.Value.Query, op.Query);
            Assert.StartsWith(block.Name, step.Ops.OfType<LinearOp>().Single(l => l.Output == op.Query.Value).Weight.Tensors[0], StringComparison.Ordinal);
        }
    }

    static void AssertNear(double[] expected, double[] actual)
    {
        Assert.Equal(expected.Length, actual.Length);
        var difference = Math.Sqrt(expected.Zip(actual, (a, b) => (a - b) * (a - b)).Sum() / expected.Sum(a => a * a));
        Assert.True(difference <= 1e-5, $"relative difference {difference:g3}");
    }
}
