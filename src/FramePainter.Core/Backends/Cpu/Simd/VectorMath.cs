using System.Runtime.CompilerServices;

namespace FramePainter.Backends.Cpu.Simd;

/// <summary>Transcendental functions over a register. NaN stays NaN in all of them. The bounds are tested over floats sampled densely.</summary>
/// <typeparam name="L">The lanes.</typeparam>
/// <typeparam name="V">Their register.</typeparam>
internal static class VectorMath<L, V>
    where L : struct, ILanes<V>
    where V : struct
{
    /// <summary>
    /// e^x within 2 units in the last place (subnormal results: within 1.2e-45 absolute): 2^n·e^r with |r| ≤ ½ ln 2 and a polynomial of degree 6 in r,
    /// its coefficients from interpolation at Chebyshev nodes (relative error 9e-9).
    /// Above 88.73 infinity, below −103.98 zero.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Exp(V x)
    {
        x = L.Min(L.Create(90f), L.Max(L.Create(-105f), x));
        var n = L.Round(L.Multiply(x, L.Create(1.44269504f)));

        // ln 2 in two parts, the first short enough that n times it is exact.
        var r = L.Fma(n, L.Create(-0.693359375f), x);
        r = L.Fma(n, L.Create(2.12194440e-4f), r);
        var q = L.Fma(L.Create(0.00139261761f), r, L.Create(0.00836317307f));
        q = L.Fma(q, r, L.Create(0.0416665547f));
        q = L.Fma(q, r, L.Create(0.16666577f));
        q = L.Fma(q, r, L.Create(0.5f));
        q = L.Fma(L.Multiply(r, r), q, r);
        return L.Scale(L.Add(q, L.Create(1f)), n);
    }

    /// <summary>1/(1 + e^−x), within 5e-7 relative; results below 1e-38 may become 0.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Sigmoid(V x)
    {
        var one = L.Create(1f);
        return L.Divide(one, L.Add(one, Exp(L.Subtract(L.Zero, x))));
    }

    /// <summary>x·sigmoid(x), the division not doubled. −∞ gives NaN, as −∞·0 does.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Silu(V x) => L.Divide(x, L.Add(L.Create(1f), Exp(L.Subtract(L.Zero, x))));

    /// <summary>x·sigmoid(1.702·x).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V QuickGelu(V x) => L.Divide(x, L.Add(L.Create(1f), Exp(L.Multiply(x, L.Create(-1.702f)))));

    /// <summary>
    /// The error function within 4e-7 relative: z·P(z²)/Q(z²), degrees 6 and 5 (interpolated at Chebyshev nodes, relative error 2.2e-8),
    /// and exactly ±1 from 3.9192 on, where the float nearest to it is 1.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Erf(V z)
    {
        var edge = L.Create(3.9192f);
        var u = L.Min(L.Create(3.9192f * 3.9192f), L.Multiply(z, z));
        var p = L.Fma(u, L.Create(-1.49927842e-08f), L.Create(5.05313845e-06f));
        p = L.Fma(p, u, L.Create(0.000391897131f));
        p = L.Fma(p, u, L.Create(0.00382328149f));
        p = L.Fma(p, u, L.Create(0.0544152889f));
        p = L.Fma(p, u, L.Create(0.183577826f));
        p = L.Fma(p, u, L.Create(1.12837919f));
        var q = L.Fma(u, L.Create(6.65884438e-05f), L.Create(0.00131860724f));
        q = L.Fma(q, u, L.Create(0.0154536121f));
        q = L.Fma(q, u, L.Create(0.113564233f));
        q = L.Fma(q, u, L.Create(0.496025383f));
        q = L.Fma(q, u, L.Create(1f));
        var inside = L.Divide(L.Multiply(z, p), q);
        return L.SelectLess(edge, L.Abs(z), L.CopySign(L.Create(1f), z), inside);
    }

    /// <summary>x·Φ(x) by <see cref="Erf"/>: within 1e-6 absolute up to 1, relative above. −∞ gives NaN, as −∞·0 does.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Gelu(V x)
    {
        var half = L.Multiply(x, L.Create(0.5f));
        return L.Fma(half, Erf(L.Multiply(x, L.Create(0.707106781f))), half);
    }
}
