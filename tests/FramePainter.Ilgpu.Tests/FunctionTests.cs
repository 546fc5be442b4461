using FramePainter.Conformance;
using FramePainter.Ilgpu.Kernels;

namespace FramePainter.Ilgpu.Tests;

/// <summary>The functions that kernels bring along, as the processor computes them.</summary>
public sealed class FunctionTests
{
    [Fact]
    public void Every_half_widens_exactly()
    {
        for (var bits = 0; bits <= ushort.MaxValue; bits++)
        {
            var want = (float)BitConverter.UInt16BitsToHalf((ushort)bits);
            var got = Functions.FromHalf(bits);
            Assert.True(float.IsNaN(want) ? float.IsNaN(got) : BitConverter.SingleToInt32Bits(want) == BitConverter.SingleToInt32Bits(got), $"{bits:X4}: {got:R}, not {want:R}");
        }
    }

    /// <summary>Every half, what lies just beside it and what lies in the middle between two.</summary>
    [Fact]
    public void Floats_are_rounded_to_the_nearest_half()
    {
        for (var bits = 0; bits <= ushort.MaxValue; bits++)
        {
            var half = (float)BitConverter.UInt16BitsToHalf((ushort)bits);
            var middle = (float)(((double)half + (double)BitConverter.UInt16BitsToHalf((ushort)(bits + 1))) / 2);
            foreach (var x in new[] { half, MathF.BitIncrement(half), MathF.BitDecrement(half), middle, MathF.BitIncrement(middle), MathF.BitDecrement(middle) })
            {
                var want = (Half)x;
                var got = BitConverter.UInt16BitsToHalf(Functions.ToHalf(x));
                Assert.True(Half.IsNaN(want) ? Half.IsNaN(got) : BitConverter.HalfToUInt16Bits(want) == BitConverter.HalfToUInt16Bits(got), $"{x:R}: {got}, not {want}");
            }
        }

        foreach (var x in new[] { 65504f, 65519.996f, 65520f, 1e9f, -65520f, float.MaxValue, 1e-8f, -1e-8f, float.Epsilon, 2.9802322e-8f, 2.9802326e-8f })
        {
            Assert.Equal(BitConverter.HalfToUInt16Bits((Half)x), Functions.ToHalf(x));
        }
    }

    [Fact]
    public void Every_bfloat_widens_exactly()
    {
        for (var bits = 0; bits <= ushort.MaxValue; bits++)
        {
            Assert.Equal((uint)bits << 16, BitConverter.SingleToUInt32Bits(Functions.FromBrain(bits)));
        }
    }

    [Fact]
    public void Sine_and_cosine_stay_within_their_bound()
    {
        for (var i = -400_000; i <= 400_000; i++)
        {
            var x = i * 0.01234f;
            Assert.Equal(Math.Sin(x), Functions.Sine(x, 0), 2e-7);
            Assert.Equal(Math.Cos(x), Functions.Sine(x, 1), 2e-7);
        }
    }

    [Fact]
    public void The_error_function_stays_within_its_bound()
    {
        for (var i = -50_000; i <= 50_000; i++)
        {
            var x = i * 0.00011f;
            var want = 1 - OracleMath.Erfc(x);
            // Numerator and denominator without fused multiply-adds: 2.5 units in the last place each, 1 for the quotient and 2 for its operands' products.
            Assert.Equal(want, Functions.Erf(x), 8 * BackendProfile.Float32 * Math.Abs(want));
        }

        Assert.Equal(1, Functions.Erf(float.PositiveInfinity));
        Assert.Equal(-1, Functions.Erf(-100));
        Assert.True(float.IsNaN(Functions.Erf(float.NaN)));
    }
}
