using FramePainter.Graphs;
using FramePainter.Tensors;

namespace FramePainter.Conformance;

/// <summary>The oracle against figures worked out by hand or known from tables.</summary>
public sealed class OracleTests
{
    [Theory]
    [InlineData(0, 1)]
    [InlineData(0.5, 0.4795001221869535)]
    [InlineData(1, 0.15729920705028513)]
    [InlineData(1.9999, 0.004679802092970608)]
    [InlineData(2.0001, 0.0046756686958033394)]
    [InlineData(3, 2.209049699858544e-5)]
    [InlineData(5, 1.5374597944280349e-12)]
    [InlineData(-1, 1.8427007929497148)]
    public void The_error_function_is_that_of_the_tables(double x, double expected) =>
        Assert.InRange(OracleMath.Erfc(x) / expected, 1 - 1e-12, 1 + 1e-12);

    [Fact]
    public void A_temporal_convolution_of_two_frames_uses_two_taps_each()
    {
        using var weights = new MemoryWeights();
        weights.Add("unet.t.weight", DType.F32, new Shape(1, 1, 3, 1, 1), [100, 10, 1]);
        var graph = new GraphBuilder();
        var x = graph.Input("x", Rate.Edit, 2, 1, 1);
        graph.Output(graph.TemporalConv(x, WeightMatrix.Of("unet.t.weight", 1, 1, 3), null, 2), "y");
        Assert.Equal([10 * 2 + 5, (100 * 2) + (10 * 5)], Run(graph, weights, (x, [2, 5])));
    }

    [Fact]
    public void A_convolution_is_a_cross_correlation_with_rows_first()
    {
        using var weights = new MemoryWeights();
        weights.Add("unet.c.weight", DType.F32, new Shape(1, 2, 1, 2), [1, 10, 100, 1000]);
        var graph = new GraphBuilder();
        var x = graph.Input("x", Rate.Edit, 1, 1, 2, 2);
        graph.Output(graph.Conv(x, WeightMatrix.Of("unet.c.weight", 1, 2, 2), padding: Padding.Same(0), kernel: (1, 2)), "y");
        Assert.Equal([1 * 1 + (10 * 3) + (100 * 2) + (1000 * 4)], Run(graph, weights, (x, [1, 2, 3, 4])));
    }

    [Fact]
    public void Two_keys_share_by_the_logistic_function_of_their_distance()
    {
        using var weights = new MemoryWeights();
        var graph = new GraphBuilder();
        var (q, k, v) = (graph.Input("q", Rate.Edit, 1, 1, 4), graph.Input("k", Rate.Edit, 1, 2, 4), graph.Input("v", Rate.Edit, 1, 2, 4));
        graph.Output(graph.Attention(new Qkv(new(q), new(k), new(v)), 1, 4), "y");
        var y = Run(graph, weights, (q, [1, 0, 0, 0]), (k, [2, 0, 0, 0, 0, 0, 0, 0]), (v, [1, 1, 1, 1, 0, 0, 0, 0]));
        Assert.All(y, element => Assert.Equal(1 / (1 + Math.Exp(-1)), element, 1e-15));
    }

    [Fact]
    public void An_Euler_step_to_zero_ends_at_the_prediction()
    {
        using var weights = new MemoryWeights();
        var graph = new GraphBuilder();
        var (v, x, s) = (graph.Input("v", Rate.Step, 2, 1, 1, 1), graph.Input("x", Rate.Step, 1, 1, 1, 1), graph.Input("s", Rate.Step, 1, 4));
        graph.Output(graph.Euler(v, x, s), "y");
        var y = Run(graph, weights, (v, [1, 2]), (x, [5]), (s, [2, 0, 3, 1 / Math.Sqrt(5)]));
        Assert.Equal((4 * -2 / Math.Sqrt(5)) + 1, y[0], 1e-12);
    }

    [Fact]
    public void Slices_and_joins_pick_the_right_elements()
    {
        using var weights = new MemoryWeights();
        weights.Add("unet.a.weight", DType.F32, new Shape(3, 2), [1, 2, 3, 4, 5, 6]);
        weights.Add("unet.b.weight", DType.F32, new Shape(3, 1), [7, 8, 9]);
        var read = new OracleWeights(weights);
        Assert.Equal([[1, 2, 7], [3, 4, 8], [5, 6, 9]], read.Matrix(new WeightMatrix { Tensors = ["unet.a.weight", "unet.b.weight"], Join = MatrixJoin.Inputs, Outputs = 3, Inputs = 3 }));
        Assert.Equal([[4], [6]], read.Matrix(new WeightMatrix { Tensors = ["unet.a.weight"], Outputs = 2, Inputs = 1, FirstOutput = 1, FirstInput = 1 }));
    }

    static double[] Run(GraphBuilder graph, IWeightSource weights, params (Value Value, double[] Elements)[] inputs)
    {
        var built = graph.Build("test");
        return Oracle.Run(built, inputs.ToDictionary(i => i.Value, i => i.Elements), weights)[built.Outputs[0]];
    }
}
