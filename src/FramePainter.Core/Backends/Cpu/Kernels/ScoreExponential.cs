using System.Runtime.CompilerServices;
using FramePainter.Backends.Cpu.Simd;

namespace FramePainter.Backends.Cpu.Kernels;

/// <summary>2^f for f from −½ to ½ by powers of f from the first on, that of degree 0 being 1: interpolated at Chebyshev nodes, relative error 1.8e-8.</summary>
internal static class PowersOfTwo
{
    public const float First = 0.693147182f;
    public const float Second = 0.240226507f;
    public const float Third = 0.0555032715f;
    public const float Fourth = 0.00961802527f;
    public const float Fifth = 0.00134004327f;
    public const float Sixth = 0.00015469732f;
}

/// <summary>2^x for the scores of a softmax, which are none above 0: fewer operations than the exponential of any number.</summary>
internal static class ScoreExponential<L, V>
    where L : struct, ILanes<V>
    where V : struct
{
    /// <summary>2^x for x ≤ 0, relative error at most 8e-8: 2^n·2^f with n the nearest whole number (the difference is exact). Below −126.5 it may be 0, below −150 it is; NaN stays.</summary>
    /// <param name="x">At most 0, −∞ included.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Of(V x)
    {
        x = L.Max(L.Create(-160f), x);
        var n = L.Round(x);
        var f = L.Subtract(x, n);
        var p = L.Fma(L.Create(PowersOfTwo.Sixth), f, L.Create(PowersOfTwo.Fifth));
        p = L.Fma(p, f, L.Create(PowersOfTwo.Fourth));
        p = L.Fma(p, f, L.Create(PowersOfTwo.Third));
        p = L.Fma(p, f, L.Create(PowersOfTwo.Second));
        p = L.Fma(p, f, L.Create(PowersOfTwo.First));
        p = L.Fma(p, f, L.Create(1f));
        return L.ScaleDown(p, n);
    }
}
