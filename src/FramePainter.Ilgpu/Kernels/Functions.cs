using FramePainter.Graphs;
using ILGPU;

namespace FramePainter.Ilgpu.Kernels;

/// <summary>Elementwise functions on the device. NaN stays NaN in all of them.</summary>
internal static class Functions
{
    /// <summary>An activation of one number; GEGLU has two and is not among them.</summary>
    /// <param name="activation">The <see cref="Activation"/> as a number.</param>
    /// <param name="x">The number.</param>
    public static float Activate(int activation, float x)
    {
        switch (activation)
        {
            case (int)Activation.Silu:
                return x / (1 + MathF.Exp(-x));
            case (int)Activation.Gelu:
                return Gelu(x);
            case (int)Activation.QuickGelu:
                return x / (1 + MathF.Exp(-1.702f * x));
            case (int)Activation.Relu:
                return x < 0 ? 0 : x;
            default:
                return x;
        }
    }

    /// <summary>A product as it is, but rounded before what follows: compilers for devices make one instruction of it and a sum behind it, which rounds once.</summary>
    /// <param name="product">The product.</param>
    /// <param name="zero">A zero that no compiler knows to be one.</param>
    public static float Rounded(float product, int zero) => Interop.IntAsFloat(Interop.FloatAsInt(product) ^ (uint)zero);

    /// <summary>x·Φ(x).</summary>
    public static float Gelu(float x)
    {
        var half = 0.5f * x;
        return half + (half * Erf(x * 0.707106781f));
    }

    /// <summary>
    /// The error function, z·P(z²)/Q(z²) with the coefficients of the processor's kernels (relative error 2.2e-8 before rounding);
    /// exactly ±1 from 3.9192 on.
    /// </summary>
    public static float Erf(float z)
    {
        const float Edge = 3.9192f;
        var u = z * z;
        u = u > Edge * Edge ? Edge * Edge : u;
        var p = 5.05313845e-06f + (u * -1.49927842e-08f);
        p = 0.000391897131f + (p * u);
        p = 0.00382328149f + (p * u);
        p = 0.0544152889f + (p * u);
        p = 0.183577826f + (p * u);
        p = 1.12837919f + (p * u);
        var q = 0.00131860724f + (u * 6.65884438e-05f);
        q = 0.0154536121f + (q * u);
        q = 0.113564233f + (q * u);
        q = 0.496025383f + (q * u);
        q = 1 + (q * u);
        var inside = z * p / q;
        return z > Edge ? 1 : z < -Edge ? -1 : inside;
    }

    /// <summary>
    /// Sine by reduction to ±π/4 and Taylor's polynomials, for |x| up to some thousands (absolute error below 2e-7 there):
    /// the devices' own are coarse far from zero.
    /// </summary>
    /// <param name="x">The angle.</param>
    /// <param name="quarter">Quarter turns added to it: 1 makes it the cosine.</param>
    public static float Sine(float x, int quarter)
    {
        // π/2 in three parts, the first two short enough that small whole multiples of them are exact.
        var turns = (int)((x * 0.636619772f) + (x < 0 ? -0.5f : 0.5f));
        var r = x - (turns * 1.5703125f);
        r -= turns * 4.837512969970703125e-4f;
        r -= turns * 7.54978942e-8f;
        var u = r * r;
        var odd = r + (r * u * (-0.166666667f + (u * (0.00833333333f + (u * (-0.000198412698f + (u * 2.75573192e-6f)))))));
        var even = 1 + (u * (-0.5f + (u * (0.0416666667f + (u * (-0.00138888889f + (u * 2.48015873e-5f)))))));
        var part = (turns + quarter) & 3;
        var magnitude = (part & 1) == 0 ? odd : even;
        return (part & 2) == 0 ? magnitude : -magnitude;
    }

    /// <summary>An IEEE half, given as bits, as a float. Exact; subnormal halves are not flushed.</summary>
    public static float FromHalf(int bits)
    {
        var exponent = (bits >> 10) & 31;
        var fraction = bits & 1023;
        var sign = (bits & 0x8000) << 16;
        if (exponent == 0)
        {
            var small = fraction * 5.9604644775390625e-8f;
            return sign != 0 ? -small : small;
        }

        var widened = exponent == 31 ? 255 : exponent + 112;
        return Interop.IntAsFloat((uint)(sign | (widened << 23) | (fraction << 13)));
    }

    /// <summary>The bits of the IEEE half nearest to a float, the even one of two; beyond 65,504 and its rounding infinity; NaN stays NaN.</summary>
    public static ushort ToHalf(float x)
    {
        var bits = Interop.FloatAsInt(x);
        var sign = (bits >> 16) & 0x8000u;
        var magnitude = bits & 0x7FFFFFFFu;
        if (magnitude >= 0x477FF000u)
        {
            return (ushort)(sign | (magnitude > 0x7F800000u ? 0x7E00u : 0x7C00u));
        }

        if (magnitude < 0x38800000u)
        {
            // Subnormal halves are whole multiples of 2⁻²⁴, to which one half rounds what is added to it.
            return (ushort)(sign | (Interop.FloatAsInt(Interop.IntAsFloat(magnitude) + 0.5f) - 0x3F000000u));
        }

        return (ushort)(sign | ((magnitude - 0x38000000u + 0xFFFu + ((magnitude >> 13) & 1u)) >> 13));
    }

    /// <summary>A bfloat16, given as bits, as a float.</summary>
    public static float FromBrain(int bits) => Interop.IntAsFloat((uint)bits << 16);
}
