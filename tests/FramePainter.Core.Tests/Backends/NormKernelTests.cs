using FramePainter.Graphs;

namespace FramePainter.Core.Tests.Backends;

public sealed class NormKernelTests
{
    [Theory]
    [InlineData(4, 5, 7, 24, 0, 4, 1, Activation.Silu)]
    [InlineData(4, 3, 3, 20, 12, 4, 2, Activation.None)] // groups of 8 straddle the seam at 20
    [InlineData(2, 1, 1, 1, 0, 1, 1, Activation.None)]
    [InlineData(2, 9, 13, 37, 35, 8, 1, Activation.Gelu)]
    [InlineData(6, 40, 41, 32, 0, 32, 2, Activation.Relu)]
    [InlineData(2, 33, 35, 320, 0, 32, 1, Activation.QuickGelu)]
    public void Group_norm(int images, int height, int width, int first, int second, int groups, int frames, Activation activation)
    {
        var h = new OpHarness(1) { Rewrite = op => ((GroupNormOp)op) with { Activation = activation } };
        var a = h.Input(images, height, width, first);
        var b = second > 0 ? h.Input(images, height, width, second) : null;
        var channels = first + second;
        var (gamma, beta) = (h.Vector(channels), h.Vector(channels));
        var output = h.Graph.GroupNorm(new Operand(a, b), gamma, beta, groups, 1e-5f, frames);
        var expected = GroupNorm(h, a, b, gamma, beta, groups, frames, activation);
        foreach (var (path, result) in h.Run(output))
        {
            OpHarness.Close(i => expected[i], result, 2e-6, $"{path}");
        }
    }

    [Theory]
    [InlineData(1000, 1e-2)]
    [InlineData(-300, 1e-1)]
    [InlineData(1e-3, 1e-6)]
    public void A_mean_that_is_large_beside_the_deviation_costs_group_norm_nothing(double mean, double deviation)
    {
        var h = new OpHarness(2);
        var x = h.Input(h.Normal(2 * 50 * 60 * 48, mean, deviation), 2, 50, 60, 48);
        var (gamma, beta) = (h.Vector(48), h.Vector(48));
        var output = h.Graph.GroupNorm(x, gamma, beta, 6, 1e-12f);
        var expected = GroupNorm(h, x, null, gamma, beta, 6, 1, Activation.None, 1e-12f);
        foreach (var (path, result) in h.Run(output))
        {
            OpHarness.Close(i => expected[i], result, 2e-6, $"{path}");
        }
    }

    [Fact]
    public void NaN_stays_in_its_group_and_image()
    {
        var h = new OpHarness(3);
        var x = h.Input(2, 4, 5, 12);
        h[x, 7] = float.NaN;
        var output = h.Graph.GroupNorm(x, h.Vector(12), h.Vector(12), 3, 1e-5f);
        foreach (var (path, result) in h.Run(output))
        {
            for (var i = 0; i < result.Length; i++)
            {
                Assert.True(float.IsNaN(result[i]) == (i < 240 && i % 12 / 4 == 1), $"{path} {i}");
            }
        }
    }

    [Theory]
    [InlineData(2, 7, 320, 0, 1)]
    [InlineData(4, 5, 37, 2, 1)]
    [InlineData(1, 1, 1, 0, 1)]
    [InlineData(4, 9, 130, 2, 0)]
    [InlineData(3, 100, 16, 0, 1000)]
    public void Layer_norm(int images, int tokens, int channels, int rows, double mean)
    {
        Value? table = null;
        var h = new OpHarness(4) { Rewrite = op => ((LayerNormOp)op) with { Rows = table is null ? null : new RowTable(table, RowOrder.ByFrame) } };
        var x = h.Input(h.Normal((long)images * tokens * channels, mean, mean > 100 ? 1e-2 : 1), images, tokens, channels);
        var (gamma, beta) = (h.Vector(channels), h.Vector(channels));
        if (rows > 0)
        {
            table = h.Input(rows, channels);
        }

        var output = h.Graph.LayerNorm(x, gamma, beta, 1e-5f);
        foreach (var (path, result) in h.Run(output))
        {
            var expected = LayerNorm(h, x, table, gamma, beta);
            OpHarness.Close(i => expected[i], result, 3e-6, $"{path}");
        }
    }

    static double[] GroupNorm(OpHarness h, Value a, Value? b, WeightVector gamma, WeightVector beta, int groups, int frames, Activation activation, float epsilon = 1e-5f)
    {
        var (first, second) = (a.Shape.Channels, b?.Shape.Channels ?? 0);
        var (channels, rows) = (first + second, (int)(a.Shape.Count / a.Shape.Channels));
        var result = new double[rows * channels];
        double At(int row, int c) => c < first ? h.Data(a)[(row * first) + c] : h.Data(b!)[(row * second) + c - first];
        var (perSet, width) = (rows / a.Shape.Images * frames, channels / groups);
        for (var set = 0; set < rows / perSet; set++)
        {
            for (var group = 0; group < groups; group++)
            {
                var all = Enumerable.Range(set * perSet, perSet).SelectMany(row => Enumerable.Range(group * width, width), (row, c) => (Row: row, Column: c)).ToList();
                var mean = all.Average(p => At(p.Row, p.Column));
                var variance = all.Average(p => Math.Pow(At(p.Row, p.Column) - mean, 2));
                foreach (var (row, c) in all)
                {
                    var x = ((At(row, c) - mean) / Math.Sqrt(variance + epsilon) * h.Data(gamma)[c]) + h.Data(beta)[c];
                    result[(row * channels) + c] = PointwiseKernelTests.Apply(activation, x);
                }
            }
        }

        return result;
    }

    static double[] LayerNorm(OpHarness h, Value x, Value? table, WeightVector gamma, WeightVector beta)
    {
        var (channels, tokens) = (x.Shape.Channels, x.Shape.Tokens);
        var result = new double[x.Shape.Count];
        for (var row = 0; row < result.Length / channels; row++)
        {
            double At(int c) => table is null
                ? h.Data(x)[(row * channels) + c]
                : h.Data(x)[(row * channels) + c] + h.Data(table)[(row / tokens % table.Shape[0] * channels) + c];
            var mean = Enumerable.Range(0, channels).Average(At);
            var variance = Enumerable.Range(0, channels).Average(c => Math.Pow(At(c) - mean, 2));
            for (var c = 0; c < channels; c++)
            {
                result[(row * channels) + c] = ((At(c) - mean) / Math.Sqrt(variance + 1e-5f) * h.Data(gamma)[c]) + h.Data(beta)[c];
            }
        }

        return result;
    }
}
