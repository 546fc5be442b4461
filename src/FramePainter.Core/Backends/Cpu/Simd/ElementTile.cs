using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.Arm;

namespace FramePainter.Backends.Cpu.Simd;

/// <summary>
/// The tile of every product on Arm64: up to 8 rows by two registers of columns. A multiply-add there takes one element of a register for all its lanes, so that numbers of rows are
/// loaded four at a time and never spread: 8 loads of rows and 8 of weights for 64 multiply-adds. Spreading takes a slot of the pipes that multiply, for every second multiply-add.
/// Sums are the same chains as everywhere, to the bit.
/// </summary>
/// <typeparam name="W">How weights are read.</typeparam>
/// <typeparam name="A">Where numbers of rows are: rows of consecutive numbers, or the numbers of eight rows side by side.</typeparam>
/// <typeparam name="R">How many rows.</typeparam>
/// <typeparam name="C">How many registers of columns, 1 or 2.</typeparam>
internal static unsafe class ElementTile<W, A, R, C>
    where W : struct, IWeightReader<Vector128<float>>
    where A : struct, ITileLayout
    where R : struct, INumber
    where C : struct, INumber
{
    /// <summary>c = start + a·b.</summary>
    /// <param name="depth">Products of each sum.</param>
    /// <param name="a">Numbers of rows, in the layout's order.</param>
    /// <param name="b">Weights, two registers a step.</param>
    /// <param name="start">What the sums begin with; null for nothing.</param>
    /// <param name="startStride">Floats from row to row there; 0 gives all rows the same.</param>
    /// <param name="c">Receives the sums; may be <paramref name="start"/>.</param>
    /// <param name="cStride">Floats from row to row there.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Multiply(int depth, float* a, byte* b, float* start, nint startStride, float* c, nint cStride)
    {
        Vector128<float> c0 = default, d0 = default,
            c1 = default, d1 = default,
            c2 = default, d2 = default,
            c3 = default, d3 = default,
            c4 = default, d4 = default,
            c5 = default, d5 = default,
            c6 = default, d6 = default,
            c7 = default, d7 = default;
        if (start is not null)
        {
            if (R.Value > 0) { c0 = Load(start + (0 * startStride)); if (C.Value > 1) d0 = Load(start + (0 * startStride) + 4); }
            if (R.Value > 1) { c1 = Load(start + (1 * startStride)); if (C.Value > 1) d1 = Load(start + (1 * startStride) + 4); }
            if (R.Value > 2) { c2 = Load(start + (2 * startStride)); if (C.Value > 1) d2 = Load(start + (2 * startStride) + 4); }
            if (R.Value > 3) { c3 = Load(start + (3 * startStride)); if (C.Value > 1) d3 = Load(start + (3 * startStride) + 4); }
            if (R.Value > 4) { c4 = Load(start + (4 * startStride)); if (C.Value > 1) d4 = Load(start + (4 * startStride) + 4); }
            if (R.Value > 5) { c5 = Load(start + (5 * startStride)); if (C.Value > 1) d5 = Load(start + (5 * startStride) + 4); }
            if (R.Value > 6) { c6 = Load(start + (6 * startStride)); if (C.Value > 1) d6 = Load(start + (6 * startStride) + 4); }
            if (R.Value > 7) { c7 = Load(start + (7 * startStride)); if (C.Value > 1) d7 = Load(start + (7 * startStride) + 4); }
        }

        if (A.Step == 1)
        {
            for (; depth >= 4; depth -= 4, a += 4, b += 4 * 8 * W.Size)
            {
                var x0 = R.Value > 0 ? Load(a + (0 * A.Row)) : default;
                var x1 = R.Value > 1 ? Load(a + (1 * A.Row)) : default;
                var x2 = R.Value > 2 ? Load(a + (2 * A.Row)) : default;
                var x3 = R.Value > 3 ? Load(a + (3 * A.Row)) : default;
                var x4 = R.Value > 4 ? Load(a + (4 * A.Row)) : default;
                var x5 = R.Value > 5 ? Load(a + (5 * A.Row)) : default;
                var x6 = R.Value > 6 ? Load(a + (6 * A.Row)) : default;
                var x7 = R.Value > 7 ? Load(a + (7 * A.Row)) : default;
                var w = W.Load(b);
                var v = C.Value > 1 ? W.Load(b + (4 * W.Size)) : w;
                if (R.Value > 0) { c0 = Add(c0, w, x0, 0); if (C.Value > 1) d0 = Add(d0, v, x0, 0); }
                if (R.Value > 1) { c1 = Add(c1, w, x1, 0); if (C.Value > 1) d1 = Add(d1, v, x1, 0); }
                if (R.Value > 2) { c2 = Add(c2, w, x2, 0); if (C.Value > 1) d2 = Add(d2, v, x2, 0); }
                if (R.Value > 3) { c3 = Add(c3, w, x3, 0); if (C.Value > 1) d3 = Add(d3, v, x3, 0); }
                if (R.Value > 4) { c4 = Add(c4, w, x4, 0); if (C.Value > 1) d4 = Add(d4, v, x4, 0); }
                if (R.Value > 5) { c5 = Add(c5, w, x5, 0); if (C.Value > 1) d5 = Add(d5, v, x5, 0); }
                if (R.Value > 6) { c6 = Add(c6, w, x6, 0); if (C.Value > 1) d6 = Add(d6, v, x6, 0); }
                if (R.Value > 7) { c7 = Add(c7, w, x7, 0); if (C.Value > 1) d7 = Add(d7, v, x7, 0); }
                w = W.Load(b + (8 * W.Size));
                v = C.Value > 1 ? W.Load(b + (12 * W.Size)) : w;
                if (R.Value > 0) { c0 = Add(c0, w, x0, 1); if (C.Value > 1) d0 = Add(d0, v, x0, 1); }
                if (R.Value > 1) { c1 = Add(c1, w, x1, 1); if (C.Value > 1) d1 = Add(d1, v, x1, 1); }
                if (R.Value > 2) { c2 = Add(c2, w, x2, 1); if (C.Value > 1) d2 = Add(d2, v, x2, 1); }
                if (R.Value > 3) { c3 = Add(c3, w, x3, 1); if (C.Value > 1) d3 = Add(d3, v, x3, 1); }
                if (R.Value > 4) { c4 = Add(c4, w, x4, 1); if (C.Value > 1) d4 = Add(d4, v, x4, 1); }
                if (R.Value > 5) { c5 = Add(c5, w, x5, 1); if (C.Value > 1) d5 = Add(d5, v, x5, 1); }
                if (R.Value > 6) { c6 = Add(c6, w, x6, 1); if (C.Value > 1) d6 = Add(d6, v, x6, 1); }
                if (R.Value > 7) { c7 = Add(c7, w, x7, 1); if (C.Value > 1) d7 = Add(d7, v, x7, 1); }
                w = W.Load(b + (16 * W.Size));
                v = C.Value > 1 ? W.Load(b + (20 * W.Size)) : w;
                if (R.Value > 0) { c0 = Add(c0, w, x0, 2); if (C.Value > 1) d0 = Add(d0, v, x0, 2); }
                if (R.Value > 1) { c1 = Add(c1, w, x1, 2); if (C.Value > 1) d1 = Add(d1, v, x1, 2); }
                if (R.Value > 2) { c2 = Add(c2, w, x2, 2); if (C.Value > 1) d2 = Add(d2, v, x2, 2); }
                if (R.Value > 3) { c3 = Add(c3, w, x3, 2); if (C.Value > 1) d3 = Add(d3, v, x3, 2); }
                if (R.Value > 4) { c4 = Add(c4, w, x4, 2); if (C.Value > 1) d4 = Add(d4, v, x4, 2); }
                if (R.Value > 5) { c5 = Add(c5, w, x5, 2); if (C.Value > 1) d5 = Add(d5, v, x5, 2); }
                if (R.Value > 6) { c6 = Add(c6, w, x6, 2); if (C.Value > 1) d6 = Add(d6, v, x6, 2); }
                if (R.Value > 7) { c7 = Add(c7, w, x7, 2); if (C.Value > 1) d7 = Add(d7, v, x7, 2); }
                w = W.Load(b + (24 * W.Size));
                v = C.Value > 1 ? W.Load(b + (28 * W.Size)) : w;
                if (R.Value > 0) { c0 = Add(c0, w, x0, 3); if (C.Value > 1) d0 = Add(d0, v, x0, 3); }
                if (R.Value > 1) { c1 = Add(c1, w, x1, 3); if (C.Value > 1) d1 = Add(d1, v, x1, 3); }
                if (R.Value > 2) { c2 = Add(c2, w, x2, 3); if (C.Value > 1) d2 = Add(d2, v, x2, 3); }
                if (R.Value > 3) { c3 = Add(c3, w, x3, 3); if (C.Value > 1) d3 = Add(d3, v, x3, 3); }
                if (R.Value > 4) { c4 = Add(c4, w, x4, 3); if (C.Value > 1) d4 = Add(d4, v, x4, 3); }
                if (R.Value > 5) { c5 = Add(c5, w, x5, 3); if (C.Value > 1) d5 = Add(d5, v, x5, 3); }
                if (R.Value > 6) { c6 = Add(c6, w, x6, 3); if (C.Value > 1) d6 = Add(d6, v, x6, 3); }
                if (R.Value > 7) { c7 = Add(c7, w, x7, 3); if (C.Value > 1) d7 = Add(d7, v, x7, 3); }
            }

            for (; depth > 0; depth--, a++, b += 8 * W.Size)
            {
                var w = W.Load(b);
                var v = C.Value > 1 ? W.Load(b + (4 * W.Size)) : w;
                if (R.Value > 0) { var x = Vector128.CreateScalarUnsafe(a[0 * A.Row]); c0 = Add(c0, w, x, 0); if (C.Value > 1) d0 = Add(d0, v, x, 0); }
                if (R.Value > 1) { var x = Vector128.CreateScalarUnsafe(a[1 * A.Row]); c1 = Add(c1, w, x, 0); if (C.Value > 1) d1 = Add(d1, v, x, 0); }
                if (R.Value > 2) { var x = Vector128.CreateScalarUnsafe(a[2 * A.Row]); c2 = Add(c2, w, x, 0); if (C.Value > 1) d2 = Add(d2, v, x, 0); }
                if (R.Value > 3) { var x = Vector128.CreateScalarUnsafe(a[3 * A.Row]); c3 = Add(c3, w, x, 0); if (C.Value > 1) d3 = Add(d3, v, x, 0); }
                if (R.Value > 4) { var x = Vector128.CreateScalarUnsafe(a[4 * A.Row]); c4 = Add(c4, w, x, 0); if (C.Value > 1) d4 = Add(d4, v, x, 0); }
                if (R.Value > 5) { var x = Vector128.CreateScalarUnsafe(a[5 * A.Row]); c5 = Add(c5, w, x, 0); if (C.Value > 1) d5 = Add(d5, v, x, 0); }
                if (R.Value > 6) { var x = Vector128.CreateScalarUnsafe(a[6 * A.Row]); c6 = Add(c6, w, x, 0); if (C.Value > 1) d6 = Add(d6, v, x, 0); }
                if (R.Value > 7) { var x = Vector128.CreateScalarUnsafe(a[7 * A.Row]); c7 = Add(c7, w, x, 0); if (C.Value > 1) d7 = Add(d7, v, x, 0); }
            }
        }
        else
        {
            for (; depth > 0; depth--, a += A.Step, b += 8 * W.Size)
            {
                var (w, v) = (W.Load(b), W.Load(b + (4 * W.Size)));
                var (x, y) = (Load(a), Load(a + 4));
                (c0, d0) = (Add(c0, w, x, 0), Add(d0, v, x, 0));
                (c1, d1) = (Add(c1, w, x, 1), Add(d1, v, x, 1));
                (c2, d2) = (Add(c2, w, x, 2), Add(d2, v, x, 2));
                (c3, d3) = (Add(c3, w, x, 3), Add(d3, v, x, 3));
                (c4, d4) = (Add(c4, w, y, 0), Add(d4, v, y, 0));
                (c5, d5) = (Add(c5, w, y, 1), Add(d5, v, y, 1));
                (c6, d6) = (Add(c6, w, y, 2), Add(d6, v, y, 2));
                (c7, d7) = (Add(c7, w, y, 3), Add(d7, v, y, 3));
            }
        }

        if (R.Value > 0) { c0.Store(c + (0 * cStride)); if (C.Value > 1) d0.Store(c + (0 * cStride) + 4); }
        if (R.Value > 1) { c1.Store(c + (1 * cStride)); if (C.Value > 1) d1.Store(c + (1 * cStride) + 4); }
        if (R.Value > 2) { c2.Store(c + (2 * cStride)); if (C.Value > 1) d2.Store(c + (2 * cStride) + 4); }
        if (R.Value > 3) { c3.Store(c + (3 * cStride)); if (C.Value > 1) d3.Store(c + (3 * cStride) + 4); }
        if (R.Value > 4) { c4.Store(c + (4 * cStride)); if (C.Value > 1) d4.Store(c + (4 * cStride) + 4); }
        if (R.Value > 5) { c5.Store(c + (5 * cStride)); if (C.Value > 1) d5.Store(c + (5 * cStride) + 4); }
        if (R.Value > 6) { c6.Store(c + (6 * cStride)); if (C.Value > 1) d6.Store(c + (6 * cStride) + 4); }
        if (R.Value > 7) { c7.Store(c + (7 * cStride)); if (C.Value > 1) d7.Store(c + (7 * cStride) + 4); }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static Vector128<float> Load(float* source) => Vector128.Load(source);

    // Elsewhere, where tests run it, an element is spread.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static Vector128<float> Add(Vector128<float> sum, Vector128<float> weights, Vector128<float> numbers, [ConstantExpected] byte element) => ElementKernels.IsSupported
        ? AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(sum, weights, numbers, element)
        : Lanes128.Fma(Vector128.Create(numbers[element]), weights, sum);
}
