using FramePainter.Backends.Cpu.Kernels;
using FramePainter.Backends.Cpu.Simd;

namespace FramePainter.Tests.Backends;

/// <summary>GEGLU by a table against the normal distribution in double precision.</summary>
public sealed unsafe class WideGegluTests
{
    const int Width = 16;

    [Fact]
    public void Gelu_keeps_its_bound()
    {
        Assert.SkipUnless(Lanes512.IsSupported, "This processor has no AVX-512.");
        var gates = Enumerable.Range(-60_000, 120_001).Select(i => i * 1.6e-4f + 1e-5f)
            .Concat(Enumerable.Range(0, 17).SelectMany(i => Around(i / 2.71875f)))
            .Concat([0, 1e-30f, -1e-30f, 100, 1e30f, 3e38f]).ToArray();
        var worst = 0.0;
        foreach (var (gate, y) in gates.Zip(Run([.. gates.Select(g => (1f, g))])))
        {
            var exact = ProductCase.Gelu(gate);
            worst = Math.Max(worst, Math.Abs(y - exact) / Math.Max(1, Math.Abs(exact)));
        }

        Assert.InRange(worst, 0, 1.85e-7);

        static float[] Around(float x) => [x, -x, MathF.BitIncrement(x), MathF.BitDecrement(x), -MathF.BitIncrement(x), -MathF.BitDecrement(x)];
    }

    [Fact]
    public void Beyond_the_table_gates_are_open_or_shut()
    {
        Assert.SkipUnless(Lanes512.IsSupported, "This processor has no AVX-512.");
        Assert.Equal([7f, 3e38f, float.PositiveInfinity, 0, 0, 0], Run([(1, 7), (1, 3e38f), (1, float.PositiveInfinity), (1, -7), (1, -3e38f), (5, 0)]));
        Assert.All(Run([(1, float.NaN), (float.NaN, 1), (1, float.NegativeInfinity)]), y => Assert.True(float.IsNaN(y)));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(6)]
    [InlineData(14)]
    public void Rows_are_stored_at_their_distance_and_biases_added(int rows)
    {
        Assert.SkipUnless(Lanes512.IsSupported, "This processor has no AVX-512.");
        const int distance = 40;
        var random = new Random(rows);
        float[] Numbers(int count) => [.. Enumerable.Range(0, count).Select(_ => (float)((random.NextDouble() * 6) - 3))];
        var (tile, bias, gateBias, output) = (Numbers(rows * 2 * Width), Numbers(Width), Numbers(Width), new float[rows * distance]);
        Array.Fill(output, 12345);
        fixed (float* t = tile, b = bias, g = gateBias, o = output)
        {
            WideGeglu.Store(t, rows, b, g, o, distance);
        }

        for (var i = 0; i < output.Length; i++)
        {
            var (row, c) = Math.DivRem(i, distance);
            if (c >= Width)
            {
                Assert.Equal(12345, output[i]);
                continue;
            }

            var (value, gate) = (tile[row * 2 * Width + c] + bias[c], tile[row * 2 * Width + Width + c] + gateBias[c]);
            Assert.Equal(value * ProductCase.Gelu(gate), output[i], 4e-6);
        }
    }

    /// <summary>value·gate·Φ(gate) of each, sixteen a row.</summary>
    static float[] Run((float Value, float Gate)[] numbers)
    {
        var rows = (numbers.Length + Width - 1) / Width;
        var (tile, output) = (new float[rows * 2 * Width], new float[rows * Width]);
        for (var i = 0; i < numbers.Length; i++)
        {
            (tile[i / Width * 2 * Width + i % Width], tile[i / Width * 2 * Width + Width + i % Width]) = numbers[i];
        }

        fixed (float* t = tile, o = output)
        {
            WideGeglu.Store(t, rows, null, null, o, Width);
        }

        return output[..numbers.Length];
    }
}
