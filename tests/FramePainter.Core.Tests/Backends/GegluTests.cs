using FramePainter.Backends.Cpu.Kernels;
using FramePainter.Backends.Cpu.Simd;

namespace FramePainter.Tests.Backends;

/// <summary>GEGLU by a table against the normal distribution in double precision.</summary>
public sealed unsafe class GegluTests
{
    [Theory]
    [InlineData(8, 1.3e-7)]
    [InlineData(16, 1.85e-7)]
    public void Gelu_keeps_its_bound(int width, double bound)
    {
        var gates = Enumerable.Range(-60_000, 120_001).Select(i => i * 1.6e-4f + 1e-5f)
            .Concat(Enumerable.Range(0, 17).SelectMany(i => Around(i / (width == 8 ? 1.421875f : 2.71875f))))
            .Concat([0, 1e-30f, -1e-30f, 100, 1e30f, 3e38f]).ToArray();
        var worst = 0.0;
        foreach (var (gate, y) in gates.Zip(Run(width, [.. gates.Select(g => (1f, g))])))
        {
            var exact = ProductCase.Gelu(gate);
            worst = Math.Max(worst, Math.Abs(y - exact) / Math.Max(1, Math.Abs(exact)));
        }

        Assert.InRange(worst, 0, bound);

        static float[] Around(float x) => [x, -x, MathF.BitIncrement(x), MathF.BitDecrement(x), -MathF.BitIncrement(x), -MathF.BitDecrement(x)];
    }

    [Theory]
    [InlineData(8)]
    [InlineData(16)]
    public void Beyond_the_table_gates_are_open_or_shut(int width)
    {
        Assert.Equal([7f, 3e38f, float.PositiveInfinity, 0, 0, 0], Run(width, [(1, 7), (1, 3e38f), (1, float.PositiveInfinity), (1, -7), (1, -3e38f), (5, 0)]));
        Assert.All(Run(width, [(1, float.NaN), (float.NaN, 1), (1, float.NegativeInfinity)]), y => Assert.True(float.IsNaN(y)));
    }

    [Theory]
    [InlineData(8, 1)]
    [InlineData(8, 6)]
    [InlineData(16, 1)]
    [InlineData(16, 6)]
    [InlineData(16, 14)]
    public void Rows_are_stored_at_their_distance_and_biases_added(int width, int rows)
    {
        const int distance = 40;
        var random = new Random(rows);
        float[] Numbers(int count) => [.. Enumerable.Range(0, count).Select(_ => (float)((random.NextDouble() * 6) - 3))];
        var (tile, bias, gateBias, output) = (Numbers(rows * 2 * width), Numbers(width), Numbers(width), new float[rows * distance]);
        Array.Fill(output, 12345);
        fixed (float* t = tile, b = bias, g = gateBias, o = output)
        {
            Store(width)(t, rows, b, g, o, distance);
        }

        for (var i = 0; i < output.Length; i++)
        {
            var (row, c) = Math.DivRem(i, distance);
            if (c >= width)
            {
                Assert.Equal(12345, output[i]);
                continue;
            }

            var (value, gate) = (tile[row * 2 * width + c] + bias[c], tile[row * 2 * width + width + c] + gateBias[c]);
            Assert.Equal(value * ProductCase.Gelu(gate), output[i], 4e-6);
        }
    }

    /// <summary>value·gate·Φ(gate) of each, a register of them a row.</summary>
    static float[] Run(int width, (float Value, float Gate)[] numbers)
    {
        var rows = (numbers.Length + width - 1) / width;
        var (tile, output) = (new float[rows * 2 * width], new float[rows * width]);
        for (var i = 0; i < numbers.Length; i++)
        {
            (tile[i / width * 2 * width + i % width], tile[i / width * 2 * width + width + i % width]) = numbers[i];
        }

        fixed (float* t = tile, o = output)
        {
            Store(width)(t, rows, null, null, o, width);
        }

        return output[..numbers.Length];
    }

    static delegate*<float*, int, float*, float*, float*, int, void> Store(int width)
    {
        Assert.SkipUnless(width == 8 ? Lanes256.IsSupported : Lanes512.IsSupported, "This processor has no such registers.");
        return width == 8 ? &Geglu256.Store : &Geglu512.Store;
    }
}
