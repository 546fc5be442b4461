using System.Runtime.CompilerServices;
using FramePainter.Backends.Cpu.Simd;

namespace FramePainter.Backends.Cpu.Kernels;

/// <summary>
/// The three transforms of Winograd's F(4×4, 3×3): 4×4 outputs from a 6×6 patch with 36 products instead of 144.
/// Polynomials are evaluated at 0, ±1/√2, ±√2 and ∞: points whose products are powers of two, with about half the rounding error of 0, ±1, ±2
/// (Cook-Toom; Barabasz et al. 2020, "Error analysis and improving the accuracy of Winograd convolution").
/// Each transform is the same one-dimensional one along columns, then along rows; a register holds one position of as many channels as it has lanes.
/// </summary>
internal static unsafe class WinogradTransforms<L, V>
    where L : struct, ILanes<V>
    where V : struct
{
    const float Near = 0.70710678118654752f;
    const float Far = 1.41421356237309505f;

    /// <summary>Patch to 36 points: Bᵀ·d·B.</summary>
    /// <param name="patch">Addresses of the 36 positions, row by row.</param>
    /// <param name="offset">Floats behind each address.</param>
    /// <param name="points">Receives the points.</param>
    /// <param name="stride">Floats from point to point.</param>
    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Input(float** patch, long offset, float* points, long stride)
    {
        var half = stackalloc float[36 * L.Count];
        for (var x = 0; x < 6; x++)
        {
            var column = patch + x;
            Input(L.Load(column[0] + offset), L.Load(column[6] + offset), L.Load(column[12] + offset), L.Load(column[18] + offset), L.Load(column[24] + offset), L.Load(column[30] + offset), half + (x * L.Count), 6 * L.Count);
        }

        for (var y = 0; y < 6; y++)
        {
            var row = half + (y * 6 * L.Count);
            Input(L.Load(row), L.Load(row + L.Count), L.Load(row + (2 * L.Count)), L.Load(row + (3 * L.Count)), L.Load(row + (4 * L.Count)), L.Load(row + (5 * L.Count)), points + (y * 6 * stride), stride);
        }
    }

    /// <summary>Kernel of 9 taps to 36 points: G·g·Gᵀ.</summary>
    /// <typeparam name="W">How weights are stored.</typeparam>
    /// <param name="taps">The first tap.</param>
    /// <param name="tapBytes">Bytes from tap to tap.</param>
    /// <param name="points">Receives the points.</param>
    /// <param name="stride">Floats from point to point.</param>
    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Weights<W>(byte* taps, long tapBytes, float* points, long stride)
        where W : struct, IWeightReader<V>
    {
        var half = stackalloc float[18 * L.Count];
        for (var x = 0; x < 3; x++, taps += tapBytes)
        {
            Weights(W.Load(taps), W.Load(taps + (3 * tapBytes)), W.Load(taps + (6 * tapBytes)), half + (x * L.Count), 3 * L.Count);
        }

        for (var y = 0; y < 6; y++)
        {
            var row = half + (y * 3 * L.Count);
            Weights(L.Load(row), L.Load(row + L.Count), L.Load(row + (2 * L.Count)), points + (y * 6 * stride), stride);
        }
    }

    /// <summary>36 sums to 4×4 outputs: Aᵀ·m·A.</summary>
    /// <param name="sums">The first sum.</param>
    /// <param name="sumStride">Floats from sum to sum.</param>
    /// <param name="outputs">Receives the outputs.</param>
    /// <param name="rowStride">Floats from output row to output row.</param>
    /// <param name="columnStride">Floats from output column to output column.</param>
    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Output(float* sums, long sumStride, float* outputs, long rowStride, long columnStride)
    {
        var half = stackalloc float[24 * L.Count];
        for (var x = 0; x < 6; x++)
        {
            var column = sums + (x * sumStride);
            Output(
                L.Load(column), L.Load(column + (6 * sumStride)), L.Load(column + (12 * sumStride)), L.Load(column + (18 * sumStride)), L.Load(column + (24 * sumStride)), L.Load(column + (30 * sumStride)),
                half + (x * L.Count), 6 * L.Count);
        }

        for (var y = 0; y < 4; y++)
        {
            var row = half + (y * 6 * L.Count);
            Output(L.Load(row), L.Load(row + L.Count), L.Load(row + (2 * L.Count)), L.Load(row + (3 * L.Count)), L.Load(row + (4 * L.Count)), L.Load(row + (5 * L.Count)), outputs + (y * rowStride), columnStride);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static void Input(V d0, V d1, V d2, V d3, V d4, V d5, float* to, long stride)
    {
        var (near, far, middle) = (L.Create(Near), L.Create(Far), L.Create(-2.5f));
        L.Store(to, L.Fma(middle, d2, L.Add(d0, d4)));
        L.Store(to + (5 * stride), L.Fma(middle, d3, L.Add(d1, d5)));

        var two = L.Create(-2);
        var (even, odd) = (L.Fma(two, d2, d4), L.Multiply(near, L.Fma(two, d1, d3)));
        L.Store(to + stride, L.Add(even, odd));
        L.Store(to + (2 * stride), L.Subtract(even, odd));

        var half = L.Create(-0.5f);
        (even, odd) = (L.Fma(half, d2, d4), L.Multiply(far, L.Fma(half, d1, d3)));
        L.Store(to + (3 * stride), L.Add(even, odd));
        L.Store(to + (4 * stride), L.Subtract(even, odd));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static void Weights(V g0, V g1, V g2, float* to, long stride)
    {
        L.Store(to, g0);
        L.Store(to + (5 * stride), g2);

        var (even, odd) = (L.Multiply(L.Create(-2f / 3), L.Fma(L.Create(0.5f), g2, g0)), L.Multiply(L.Create(-2f / 3 * Near), g1));
        L.Store(to + stride, L.Add(even, odd));
        L.Store(to + (2 * stride), L.Subtract(even, odd));

        (even, odd) = (L.Multiply(L.Create(1f / 6), L.Fma(L.Create(2), g2, g0)), L.Multiply(L.Create(Far / 6), g1));
        L.Store(to + (3 * stride), L.Add(even, odd));
        L.Store(to + (4 * stride), L.Subtract(even, odd));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static void Output(V m0, V m1, V m2, V m3, V m4, V m5, float* to, long stride)
    {
        var (nearSum, nearDifference, farSum, farDifference) = (L.Add(m1, m2), L.Subtract(m1, m2), L.Add(m3, m4), L.Subtract(m3, m4));
        L.Store(to, L.Add(m0, L.Add(nearSum, farSum)));
        L.Store(to + stride, L.Fma(L.Create(Near), nearDifference, L.Multiply(L.Create(Far), farDifference)));
        L.Store(to + (2 * stride), L.Fma(L.Create(0.5f), nearSum, L.Multiply(L.Create(2), farSum)));
        L.Store(to + (3 * stride), L.Fma(L.Create(Near / 2), nearDifference, L.Fma(L.Create(2 * Far), farDifference, m5)));
    }
}
