using System.Runtime.CompilerServices;
using FramePainter.Backends.Cpu.Simd;

namespace FramePainter.Backends.Cpu.Kernels;

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
        x = L.Max(L.Create(-160f), x);
        var n = L.Round(x);
        var f = L.Subtract(x, n);
        var p = L.Fma(L.Create(0.00015469732f), f, L.Create(0.00134004327f));
        p = L.Fma(p, f, L.Create(0.00961802527f));
        p = L.Fma(p, f, L.Create(0.0555032715f));
        p = L.Fma(p, f, L.Create(0.240226507f));
        p = L.Fma(p, f, L.Create(0.693147182f));
        p = L.Fma(p, f, L.Create(1f));
        return L.Scale(p, n);
    }
}
