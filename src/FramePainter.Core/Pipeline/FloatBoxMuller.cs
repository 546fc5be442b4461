using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace FramePainter.Pipeline;

/// <summary>
/// Box–Muller in single precision, to the bit what PyTorch computes on x64 processors with AVX2: logarithm, sine and cosine are the polynomials of Moshier's Cephes library
/// (<c>logf</c>, <c>sinf</c>, <c>cosf</c>), eight at a time, and its compiler fuses each product with the sum that it goes into.
/// One method to the JIT, which it optimises at once: most processes call it once, for the first edit.
/// </summary>
static class FloatBoxMuller
{
    /// <summary>Values made together: eight radii and eight angles become eight cosines' values and eight sines'.</summary>
    public const int Block = 2 * Lanes;

    const int Lanes = 8;

    /// <summary>Turns random words, of which the low 24 bits are taken for uniforms from 0 to below 1, into standard normal values, in place.</summary>
    /// <param name="blocks">The words' bits, whole blocks.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Transform(Span<float> blocks)
    {
        for (var i = 0; i + Block <= blocks.Length; i += Block)
        {
            var first = blocks.Slice(i, Lanes);
            var second = blocks.Slice(i + Lanes, Lanes);
            var radius = Vector256.Sqrt(-2f * Log(Vector256<float>.One - Uniform(first)));
            var (sin, cos) = SinCos(MathF.Tau * Uniform(second));
            (radius * cos).CopyTo(first);
            (radius * sin).CopyTo(second);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static Vector256<float> Uniform(ReadOnlySpan<float> words)
    {
        const int Levels = 1 << 24;
        return Vector256.ConvertToSingle(Vector256.Create(words).AsInt32() & Vector256.Create(Levels - 1)) * (1f / Levels);
    }

    /// <summary>ln(x) of normal x above 0: x = m·2ᵉ with m from √½ to √2, and ln(m) = r − r²/2 + r³·P(r) with r = m − 1. ln(2) is a sum of two parts, of which the first has few digits.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static Vector256<float> Log(Vector256<float> x)
    {
        const int MantissaBits = 23;
        const int ExponentOfHalf = 126;
        const int MantissaMask = (1 << MantissaBits) - 1;
        const float Ln2High = 0.693359375f;
        const float Ln2Low = -2.12194440e-4f;

        var bits = x.AsInt32();
        var exponent = Vector256.ConvertToSingle((bits >>> MantissaBits) - Vector256.Create(ExponentOfHalf));
        var mantissa = ((bits & Vector256.Create(MantissaMask)) | Vector256.Create(ExponentOfHalf << MantissaBits)).AsSingle();
        var low = Vector256.LessThan(mantissa, Vector256.Create(0.707106781186547524f));
        exponent -= Vector256<float>.One & low;
        var r = mantissa - Vector256<float>.One + (mantissa & low);

        var square = r * r;
        var cubic = r * Polynomial(
            r, 7.0376836292e-2f, -1.1514610310e-1f, 1.1676998740e-1f, -1.2420140846e-1f, 1.4249322787e-1f, -1.6668057665e-1f, 2.0000714765e-1f, -2.4999993993e-1f, 3.3333331174e-1f);
        var rest = Fused(-square, 0.5f, Fused(cubic, square, exponent * Ln2Low));
        return Fused(exponent, Ln2High, r + rest);
    }

    /// <summary>Sine and cosine of angles from 0 to 2π: what is left of the angle beside a multiple of π/2, by a polynomial each, and then which of them is which. π/4 is a sum of three parts.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static (Vector256<float> Sin, Vector256<float> Cos) SinCos(Vector256<float> angle)
    {
        const float OctantsPerRadian = 1.27323954473516f;
        const float QuarterPiHigh = 0.78515625f;
        const float QuarterPiMiddle = 2.4187564849853515625e-4f;
        const float QuarterPiLow = 3.77489497744594108e-8f;
        const int SignBit = 31;

        // Octants in pairs: 0, 2, 4, 6 and 8.
        var octant = (Vector256.ConvertToInt32(OctantsPerRadian * angle) + Vector256<int>.One) & Vector256.Create(~1);
        var whole = Vector256.ConvertToSingle(octant);
        var x = Fused(whole, -QuarterPiLow, Fused(whole, -QuarterPiMiddle, Fused(whole, -QuarterPiHigh, angle)));
        var square = x * x;
        var fourth = square * Polynomial(square, 2.443315711809948e-5f, -1.388731625493765e-3f, 4.166664568298827e-2f);
        var cosine = Fused(fourth, square, square * -0.5f) + Vector256<float>.One;
        var cubic = square * Polynomial(square, -1.9515295891e-4f, 8.3321608736e-3f, -1.6666654611e-1f);
        var sine = Fused(cubic, x, x);

        var straight = Vector256.Equals(octant & Vector256.Create(2), Vector256<int>.Zero).AsSingle();
        var sineSign = (octant & Vector256.Create(4)) << (SignBit - 2);
        var cosineSign = ((octant + Vector256.Create(2)) & Vector256.Create(4)) << (SignBit - 2);
        return (
            Vector256.ConditionalSelect(straight, sine, cosine) ^ sineSign.AsSingle(),
            Vector256.ConditionalSelect(straight, cosine, sine) ^ cosineSign.AsSingle());
    }

    /// <summary>Horner's scheme, the highest power first.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static Vector256<float> Polynomial(Vector256<float> x, params ReadOnlySpan<float> coefficients)
    {
        var sum = Vector256.Create(coefficients[0]);
        foreach (var coefficient in coefficients[1..])
        {
            sum = Fused(sum, x, Vector256.Create(coefficient));
        }

        return sum;
    }

    static Vector256<float> Fused(Vector256<float> a, Vector256<float> b, Vector256<float> sum) => Vector256.FusedMultiplyAdd(a, b, sum);

    static Vector256<float> Fused(Vector256<float> a, float b, Vector256<float> sum) => Vector256.FusedMultiplyAdd(a, Vector256.Create(b), sum);
}
