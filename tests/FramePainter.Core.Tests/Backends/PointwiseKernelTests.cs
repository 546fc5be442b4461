using FramePainter.Graphs;

namespace FramePainter.Core.Tests.Backends;

public sealed class PointwiseKernelTests
{
    [Theory]
    [InlineData(Activation.None)]
    [InlineData(Activation.Silu)]
    [InlineData(Activation.Gelu)]
    [InlineData(Activation.QuickGelu)]
    [InlineData(Activation.Relu)]
    public void Activations(Activation activation)
    {
        var h = new OpHarness(1);
        var x = h.Input(h.Normal(3 * 71 * 83, 0, 4), 3, 71, 83);
        h[x, 5] = float.NaN;
        h[x, (3 * 71 * 83) - 1] = float.NaN;
        foreach (var (path, result) in h.Run(h.Graph.Activate(x, activation)))
        {
            OpHarness.Close(i => Apply(activation, h[x, i]), result, 1e-6, $"{path}");
        }
    }

    [Theory]
    [InlineData(1, 1)]
    [InlineData(33, 37)]
    [InlineData(9, 1280)]
    public void Geglu_gates_the_first_half_with_the_second(int rows, int width)
    {
        var h = new OpHarness(2);
        var x = h.Input(1, rows, 2 * width);
        foreach (var (path, result) in h.Run(h.Graph.Activate(x, Activation.Geglu)))
        {
            OpHarness.Close(i => h[x, (i / width * 2 * width) + (i % width)] * Apply(Activation.Gelu, h[x, (i / width * 2 * width) + width + (i % width)]), result, 1e-6, $"{path}");
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(40_007)]
    public void Blends_weigh_by_the_learned_factor(int count)
    {
        var h = new OpHarness(3);
        var (a, b) = (h.Input(1, count), h.Input(1, count));
        var mix = h.Scalar(0.7f);
        var alpha = 1 / (1 + Math.Exp(-0.7f));
        foreach (var (path, result) in h.Run(h.Graph.Blend(a, MixScale.Alpha(mix), b, MixScale.OneMinusAlpha(mix))))
        {
            OpHarness.Close(i => (alpha * h[a, i]) + ((1 - alpha) * h[b, i]), result, 5e-7, $"{path}");
        }
    }

    [Theory]
    [InlineData(RowOrder.ByRun)]
    [InlineData(RowOrder.ByFrame)]
    public void Rows_are_added_in_their_order(RowOrder order)
    {
        var h = new OpHarness(4);
        var (x, table) = (h.Input(4, 300, 67), h.Input(2, 67));
        foreach (var (path, result) in h.Run(h.Graph.AddRows(x, table, order)))
        {
            int Row(int image) => order == RowOrder.ByRun ? image / 2 : image % 2;
            OpHarness.Close(i => h[x, i] + h[table, (Row(i / 300 / 67) * 67) + (i % 67)], result, 1e-7, $"{path}");
        }
    }

    [Fact]
    public void Scale_takes_its_column()
    {
        var h = new OpHarness(5);
        var (x, scalars) = (h.Input(2, 3, 7), h.Input(1, 4));
        foreach (var (path, result) in h.Run(h.Graph.Scale(x, scalars, 2)))
        {
            OpHarness.Close(i => h[x, i] * (double)h[scalars, 2], result, 1e-7, $"{path}");
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void Halves_share_and_the_conditional_one_gets_its_part(int halves)
    {
        var h = new OpHarness(6);
        var (shared, conditional) = (h.Input(2, 5, 7, 9), h.Input(1, 5, 7, 9));
        foreach (var (path, result) in h.Run(h.Graph.JoinHalves(shared, conditional, halves)))
        {
            OpHarness.Close(i => h[shared, i % 630] + (i >= (halves - 1) * 630 ? h[conditional, i % 315] : 0), result, 1e-7, $"{path}");
        }
    }

    [Theory]
    [InlineData(1, 700f, 400f)]
    [InlineData(2, 700f, 400f)]
    [InlineData(2, 0.01f, 0f)]
    public void Euler_steps_guided_and_not(int halves, float sigma, float next)
    {
        var h = new OpHarness(7);
        var x = h.Input(h.Normal(2 * 5 * 6 * 4, 0, sigma), 2, 5, 6, 4);
        var (v, scalars) = (h.Input(2 * halves, 5, 6, 4), h.Input([sigma, next, 2.5f, 1], 1, 4));
        foreach (var (path, result) in h.Run(h.Graph.Euler(v, x, scalars)))
        {
            OpHarness.Close(Expected, result, 1e-6, $"{path}");
        }

        double Expected(int i)
        {
            double velocity = halves == 1 ? h[v, i] : h[v, i] + (2.5 * ((double)h[v, i + 240] - h[v, i]));
            var variance = ((double)sigma * sigma) + 1;
            var denoised = (velocity * (-sigma / Math.Sqrt(variance))) + (h[x, i] / variance);
            return h[x, i] + ((h[x, i] - denoised) / sigma * ((double)next - sigma));
        }
    }

    /// <summary>An activation in double; Φ by its Taylor series or continued fraction.</summary>
    internal static double Apply(Activation activation, double x) => activation switch
    {
        Activation.Silu => x / (1 + Math.Exp(-x)),
        Activation.QuickGelu => x / (1 + Math.Exp(-1.702 * x)),
        Activation.Gelu => x * NormalDistribution(x),
        Activation.Relu => double.IsNaN(x) ? x : Math.Max(x, 0),
        _ => x,
    };

    static double NormalDistribution(double x)
    {
        if (Math.Abs(x) > 5)
        {
            // Mills' ratio as a continued fraction.
            double tail = 0, a = Math.Abs(x);
            for (var k = 60; k > 0; k--)
            {
                tail = k / (a + tail);
            }

            tail = Math.Exp(-a * a / 2) / Math.Sqrt(2 * Math.PI) / (a + tail);
            return x > 0 ? 1 - tail : tail;
        }

        double term = x, sum = x;
        for (var k = 1; k < 120; k++)
        {
            term *= -x * x / (2 * k);
            sum += term / ((2 * k) + 1);
        }

        return 0.5 + (sum / Math.Sqrt(2 * Math.PI));
    }
}
