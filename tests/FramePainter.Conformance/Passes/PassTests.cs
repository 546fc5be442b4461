using FramePainter.Graphs;
using FramePainter.Tensors;

namespace FramePainter.Conformance;

/// <summary>Fusing and hoisting change where work is done, never what comes out.</summary>
public sealed class PassTests
{
    const string Mix = "mix";

    [Fact]
    public void A_residual_block_becomes_products_with_epilogues_alone()
    {
        var graph = Block(Rate.Edit, out var weights);
        var fused = FuseEpilogues.Run(graph);
        Assert.Equal(["GroupNormOp", "ConvOp", "GroupNormOp", "ConvOp", "TemporalConvOp"], fused.Ops.Select(op => op.GetType().Name));
        var last = ((TemporalConvOp)fused.Ops[^1]).Epilogue;

        // α·s + (1−α)·(s + t) is s + (1−α)·t: one residual with factor 1.
        Assert.Equal(new MixScale(1, -1, Mix), last.Scale);
        Assert.Equal(MixScale.One, Assert.Single(last.Residuals).Scale);
        AssertSameResults(graph, fused, weights);
    }

    [Fact]
    public void Rows_before_a_norm_and_a_residual_are_read_where_they_are_used()
    {
        var g = new GraphBuilder();
        var x = g.Input("x", Rate.Edit, 4, 3, 8);
        var rows = g.Input("rows", Rate.Edit, 2, 8);
        using var weights = Weights(("w", [8, 8]), ("b", [8]), ("gamma", [8]), ("beta", [8]));
        var mixed = g.AddRows(x, rows, RowOrder.ByFrame);
        var normed = g.LayerNorm(mixed, WeightVector.Of("gamma", 8), WeightVector.Of("beta", 8), 1e-5f);
        g.Output(g.Add(g.Linear(normed, WeightMatrix.Of("w", 8, 8), WeightVector.Of("b", 8)), mixed), "y");
        var graph = g.Build("rows");
        var fused = FuseEpilogues.Run(graph);
        Assert.Equal(["LayerNormOp", "LinearOp"], fused.Ops.Select(op => op.GetType().Name));
        AssertSameResults(graph, fused, weights);
    }

    [Fact]
    public void A_value_read_twice_or_wanted_outside_is_not_swallowed()
    {
        var g = new GraphBuilder();
        var x = g.Input("x", Rate.Edit, 2, 3, 8);
        using var weights = Weights(("w", [8, 8]), ("b", [8]));
        var y = g.Linear(x, WeightMatrix.Of("w", 8, 8), WeightVector.Of("b", 8));
        var z = g.Activate(y, Activation.Silu);
        g.Output(g.Add(y, z), "sum");
        g.Output(z, "z");
        var graph = g.Build("shared");
        var fused = FuseEpilogues.Run(graph);
        Assert.Equal(3, fused.Ops.Length);
        AssertSameResults(graph, fused, weights);
    }

    [Fact]
    public void A_sum_of_a_value_with_itself_stays()
    {
        var g = new GraphBuilder();
        using var weights = Weights(("w", [8, 8]), ("b", [8]));
        var y = g.Linear(g.Input("x", Rate.Edit, 2, 3, 8), WeightMatrix.Of("w", 8, 8), WeightVector.Of("b", 8));
        g.Output(g.Add(y, y), "sum");
        var graph = g.Build("double");
        AssertSameResults(graph, FuseEpilogues.Run(graph), weights);
    }

    [Fact]
    public void An_activation_behind_a_sum_is_not_moved_before_it()
    {
        var g = new GraphBuilder();
        var x = g.Input("x", Rate.Edit, 2, 3, 8);
        using var weights = Weights(("w", [8, 8]), ("b", [8]));
        g.Output(g.Activate(g.Add(g.Linear(x, WeightMatrix.Of("w", 8, 8), WeightVector.Of("b", 8)), x), Activation.Relu), "y");
        var graph = g.Build("late");
        var fused = FuseEpilogues.Run(graph);
        Assert.Equal(["LinearOp", "ActivateOp"], fused.Ops.Select(op => op.GetType().Name));
        AssertSameResults(graph, fused, weights);
    }

    [Fact]
    public void What_does_not_change_with_the_step_leaves_the_step()
    {
        // x is constant: the first norm and convolution are computed once, though a row of the step is added behind them.
        var graph = Block(Rate.Step, out var weights);
        var (prologue, step) = Hoist.Split(FuseEpilogues.Run(graph));
        Assert.Equal(["GroupNormOp", "ConvOp"], prologue.Ops.Select(op => op.GetType().Name));
        Assert.Equal(["AddRowsOp", "GroupNormOp", "ConvOp", "TemporalConvOp"], step.Ops.Select(op => op.GetType().Name));
        Assert.Equal(["x"], prologue.Inputs.Select(v => v.Name));
        var given = Inputs(graph);
        var whole = Oracle.Run(graph, given, weights)[graph.Output("y")];
        var carried = Oracle.Run(prologue, given.Where(p => prologue.Inputs.Contains(p.Key)).ToDictionary(), weights);
        var rest = step.Inputs.ToDictionary(v => v, v => given.TryGetValue(v, out var x) ? x : carried[v]);
        AssertClose(whole, Oracle.Run(step, rest, weights)[step.Output("y")]);
    }

    [Fact]
    public void Ops_that_nobody_reads_are_dropped()
    {
        var g = new GraphBuilder();
        var x = g.Input("x", Rate.Edit, 1, 2, 4);
        g.Activate(x, Activation.Silu);
        g.Output(g.Activate(x, Activation.Relu), "y");
        Assert.Single(DeadOps.Remove(g.Build("dead")).Ops);
    }

    [Theory]
    [InlineData(0.25f, 2f, 0.5f)]
    [InlineData(1f, 0f, 1f)]
    public void Factors_multiply_and_add_as_numbers_do(float constant, float slope, float other)
    {
        var scale = new MixScale(constant, slope, slope == 0 ? null : Mix);
        foreach (var mix in new[] { -3f, 0f, 1.5f })
        {
            Assert.Equal(scale.Evaluate(mix) * other, scale.Times(new MixScale(other))!.Value.Evaluate(mix), 1e-6);
            Assert.Equal(scale.Evaluate(mix) * other, new MixScale(other).Times(scale)!.Value.Evaluate(mix), 1e-6);
            Assert.Equal(scale.Evaluate(mix) + MixScale.OneMinusAlpha(Mix).Evaluate(mix), scale.Plus(MixScale.OneMinusAlpha(Mix))!.Value.Evaluate(mix), 1e-6);
        }

        Assert.Null(MixScale.Alpha(Mix).Times(MixScale.Alpha(Mix)));
        Assert.Null(MixScale.Alpha(Mix).Plus(MixScale.Alpha("another")));
        Assert.Equal(MixScale.One, MixScale.Alpha(Mix).Plus(MixScale.OneMinusAlpha(Mix)));
    }

    /// <summary>A spatio-temporal residual block as the model writes it.</summary>
    static Graph Block(Rate timeRate, out MemoryWeights weights)
    {
        weights = Weights(
            ("g1", [8]), ("s1", [8]), ("c1", [8, 8, 3, 3]), ("b1", [8]), ("g2", [8]), ("s2", [8]), ("c2", [8, 8, 3, 3]), ("b2", [8]),
            ("t", [8, 8, 3, 1, 1]), ("tb", [8]), (Mix, [1]));
        var g = new GraphBuilder();
        var x = g.Input("x", Rate.Edit, 2, 4, 5, 8);
        var time = g.Input("time", timeRate, 1, 8);
        var h = g.Activate(g.GroupNorm(x, WeightVector.Of("g1", 8), WeightVector.Of("s1", 8), 2, 1e-5f), Activation.Silu);
        h = g.AddRows(g.Conv(h, WeightMatrix.Of("c1", 8, 8, 9), WeightVector.Of("b1", 8)), time);
        h = g.Activate(g.GroupNorm(h, WeightVector.Of("g2", 8), WeightVector.Of("s2", 8), 2, 1e-5f), Activation.Silu);
        var spatial = g.Add(x, g.Conv(h, WeightMatrix.Of("c2", 8, 8, 9), WeightVector.Of("b2", 8)));
        var temporal = g.Add(spatial, g.TemporalConv(spatial, WeightMatrix.Of("t", 8, 8, 3), WeightVector.Of("tb", 8), 2));
        g.Output(g.Blend(spatial, MixScale.Alpha(Mix), temporal, MixScale.OneMinusAlpha(Mix)), "y");
        return g.Build("block");
    }

    static MemoryWeights Weights(params (string Name, long[] Shape)[] tensors)
    {
        var (weights, random) = (new MemoryWeights(), new Random(5));
        foreach (var (name, shape) in tensors)
        {
            weights.AddRandom(name, DType.F32, new Shape(shape), random);
        }

        return weights;
    }

    static Dictionary<Value, double[]> Inputs(Graph graph)
    {
        var random = new Random(6);
        return graph.Inputs.ToDictionary(v => v, v => Enumerable.Range(0, (int)v.Shape.Count).Select(_ => random.NextDouble() - 0.5).ToArray());
    }

    static void AssertSameResults(Graph graph, Graph fused, MemoryWeights weights)
    {
        var given = Inputs(graph);
        var (want, got) = (Oracle.Run(graph, given, weights), Oracle.Run(fused, given, weights));
        foreach (var output in graph.Outputs)
        {
            AssertClose(want[output], got[fused.Output(output.Name)]);
        }
    }

    static void AssertClose(double[] want, double[] got)
    {
        Assert.Equal(want.Length, got.Length);
        for (var i = 0; i < want.Length; i++)
        {
            Assert.Equal(want[i], got[i], 1e-12);
        }
    }
}
