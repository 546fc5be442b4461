using System.Runtime.CompilerServices;
using FramePainter.Backends.Cpu.Simd;

namespace FramePainter.Backends.Cpu.Kernels;

/// <summary>The numbers of <see cref="ScoreExponential{L, V}"/>.</summary>
internal static class ScoreExponential
{
    /// <summary>2 to less than this is 0.</summary>
    public const float Least = -160;

    /// <summary>The polynomial's coefficients by their degree; that of degree 0 is 1.</summary>
    public const float Sixth = 0.00015469732f, Fifth = 0.00134004327f, Fourth = 0.00961802527f, Third = 0.0555032715f, Second = 0.240226507f, First = 0.693147182f;
}

/// <summary>2^x for the scores of a softmax, which are none above 0: fewer operations than the exponential of any number.</summary>
internal static class ScoreExponential<L, V>
    where L : struct, ILanes<V>
    where V : struct
{
    /// <summary>
    /// 2^x for x ≤ 0, relative error at most 8e-8: 2^n·2^f with n the nearest whole number (the difference is exact) and a polynomial of degree 6 in f,
    /// its coefficients from interpolation at Chebyshev nodes (relative error 1.8e-8). 0 below −150; NaN stays.
    /// </summary>
    /// <param name="x">At most 0, −∞ included.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Of(V x)
    {
        x = L.Max(L.Create(ScoreExponential.Least), x);
        var n = L.Round(x);
        var f = L.Subtract(x, n);
        var p = L.Fma(L.Create(ScoreExponential.Sixth), f, L.Create(ScoreExponential.Fifth));
        p = L.Fma(p, f, L.Create(ScoreExponential.Fourth));
        p = L.Fma(p, f, L.Create(ScoreExponential.Third));
        p = L.Fma(p, f, L.Create(ScoreExponential.Second));
        p = L.Fma(p, f, L.Create(ScoreExponential.First));
        p = L.Fma(p, f, L.Create(1f));
        return L.Scale(p, n);
    }
}
