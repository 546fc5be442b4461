using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using FramePainter.Backends.Cpu.Simd;

namespace FramePainter.Backends.Cpu.Kernels;

/// <summary>
/// The inner product of attention: a tile of so many rows by two registers, <c>c = start + a·b</c>, its sums in registers throughout
/// (14×32 of AVX-512's 32 registers, 6×16 of AVX2's 16, 8×8 of Arm64's 32). Each step loads two registers of b and one number of a per row.
/// </summary>
/// <typeparam name="L">The lanes.</typeparam>
/// <typeparam name="V">Their register.</typeparam>
/// <typeparam name="A">Where a's elements are.</typeparam>
internal static unsafe class AttentionTile<L, V, A>
    where L : struct, ILanes<V>
    where V : struct
    where A : struct, ITileLayout
{
    /// <summary>One tile.</summary>
    /// <param name="depth">Products of each sum.</param>
    /// <param name="a">Rows of numbers, in the layout's order.</param>
    /// <param name="b">Two registers a step, one step behind the other.</param>
    /// <param name="start">What the sums begin with.</param>
    /// <param name="startStride">Floats from row to row there; 0 gives all rows the same.</param>
    /// <param name="c">Receives the sums; may be <paramref name="start"/>.</param>
    /// <param name="cStride">Floats from row to row there.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Multiply(int depth, float* a, float* b, float* start, nint startStride, float* c, nint cStride)
    {
        if (L.TileRows >= 14)
        {
            Tile14(depth, a, b, start, startStride, c, cStride);
        }
        else if (L.TileRows == ElementKernels.TileRows)
        {
            ElementTile<ReadF32<Lanes128, Vector128<float>>, A, N8, N2>.Multiply(depth, a, (byte*)b, start, startStride, c, cStride);
        }
        else
        {
            Tile6(depth, a, b, start, startStride, c, cStride);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    static void Tile14(int depth, float* a, float* b, float* start, nint startStride, float* c, nint cStride)
    {
        var (c0, d0) = (L.Load(start), L.Load(start + L.Count));
        var (c1, d1) = (L.Load(start + startStride), L.Load(start + startStride + L.Count));
        var (c2, d2) = (L.Load(start + (2 * startStride)), L.Load(start + (2 * startStride) + L.Count));
        var (c3, d3) = (L.Load(start + (3 * startStride)), L.Load(start + (3 * startStride) + L.Count));
        var (c4, d4) = (L.Load(start + (4 * startStride)), L.Load(start + (4 * startStride) + L.Count));
        var (c5, d5) = (L.Load(start + (5 * startStride)), L.Load(start + (5 * startStride) + L.Count));
        var (c6, d6) = (L.Load(start + (6 * startStride)), L.Load(start + (6 * startStride) + L.Count));
        var (c7, d7) = (L.Load(start + (7 * startStride)), L.Load(start + (7 * startStride) + L.Count));
        var (c8, d8) = (L.Load(start + (8 * startStride)), L.Load(start + (8 * startStride) + L.Count));
        var (c9, d9) = (L.Load(start + (9 * startStride)), L.Load(start + (9 * startStride) + L.Count));
        var (c10, d10) = (L.Load(start + (10 * startStride)), L.Load(start + (10 * startStride) + L.Count));
        var (c11, d11) = (L.Load(start + (11 * startStride)), L.Load(start + (11 * startStride) + L.Count));
        var (c12, d12) = (L.Load(start + (12 * startStride)), L.Load(start + (12 * startStride) + L.Count));
        var (c13, d13) = (L.Load(start + (13 * startStride)), L.Load(start + (13 * startStride) + L.Count));
        for (; depth > 0; depth--, a += A.Step, b += 2 * L.Count)
        {
            var (left, right) = (L.Load(b), L.Load(b + L.Count));
            var x = L.Create(*a);
            c0 = L.Fma(x, left, c0);
            d0 = L.Fma(x, right, d0);
            x = L.Create(a[A.Row]);
            c1 = L.Fma(x, left, c1);
            d1 = L.Fma(x, right, d1);
            x = L.Create(a[2 * A.Row]);
            c2 = L.Fma(x, left, c2);
            d2 = L.Fma(x, right, d2);
            x = L.Create(a[3 * A.Row]);
            c3 = L.Fma(x, left, c3);
            d3 = L.Fma(x, right, d3);
            x = L.Create(a[4 * A.Row]);
            c4 = L.Fma(x, left, c4);
            d4 = L.Fma(x, right, d4);
            x = L.Create(a[5 * A.Row]);
            c5 = L.Fma(x, left, c5);
            d5 = L.Fma(x, right, d5);
            x = L.Create(a[6 * A.Row]);
            c6 = L.Fma(x, left, c6);
            d6 = L.Fma(x, right, d6);
            x = L.Create(a[7 * A.Row]);
            c7 = L.Fma(x, left, c7);
            d7 = L.Fma(x, right, d7);
            x = L.Create(a[8 * A.Row]);
            c8 = L.Fma(x, left, c8);
            d8 = L.Fma(x, right, d8);
            x = L.Create(a[9 * A.Row]);
            c9 = L.Fma(x, left, c9);
            d9 = L.Fma(x, right, d9);
            x = L.Create(a[10 * A.Row]);
            c10 = L.Fma(x, left, c10);
            d10 = L.Fma(x, right, d10);
            x = L.Create(a[11 * A.Row]);
            c11 = L.Fma(x, left, c11);
            d11 = L.Fma(x, right, d11);
            x = L.Create(a[12 * A.Row]);
            c12 = L.Fma(x, left, c12);
            d12 = L.Fma(x, right, d12);
            x = L.Create(a[13 * A.Row]);
            c13 = L.Fma(x, left, c13);
            d13 = L.Fma(x, right, d13);
        }

        Store(c, c0, d0);
        Store(c + cStride, c1, d1);
        Store(c + (2 * cStride), c2, d2);
        Store(c + (3 * cStride), c3, d3);
        Store(c + (4 * cStride), c4, d4);
        Store(c + (5 * cStride), c5, d5);
        Store(c + (6 * cStride), c6, d6);
        Store(c + (7 * cStride), c7, d7);
        Store(c + (8 * cStride), c8, d8);
        Store(c + (9 * cStride), c9, d9);
        Store(c + (10 * cStride), c10, d10);
        Store(c + (11 * cStride), c11, d11);
        Store(c + (12 * cStride), c12, d12);
        Store(c + (13 * cStride), c13, d13);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    static void Tile6(int depth, float* a, float* b, float* start, nint startStride, float* c, nint cStride)
    {
        var (c0, d0) = (L.Load(start), L.Load(start + L.Count));
        var (c1, d1) = (L.Load(start + startStride), L.Load(start + startStride + L.Count));
        var (c2, d2) = (L.Load(start + (2 * startStride)), L.Load(start + (2 * startStride) + L.Count));
        var (c3, d3) = (L.Load(start + (3 * startStride)), L.Load(start + (3 * startStride) + L.Count));
        var (c4, d4) = (L.Load(start + (4 * startStride)), L.Load(start + (4 * startStride) + L.Count));
        var (c5, d5) = (L.Load(start + (5 * startStride)), L.Load(start + (5 * startStride) + L.Count));
        for (; depth > 0; depth--, a += A.Step, b += 2 * L.Count)
        {
            var (left, right) = (L.Load(b), L.Load(b + L.Count));
            var x = L.Create(*a);
            c0 = L.Fma(x, left, c0);
            d0 = L.Fma(x, right, d0);
            x = L.Create(a[A.Row]);
            c1 = L.Fma(x, left, c1);
            d1 = L.Fma(x, right, d1);
            x = L.Create(a[2 * A.Row]);
            c2 = L.Fma(x, left, c2);
            d2 = L.Fma(x, right, d2);
            x = L.Create(a[3 * A.Row]);
            c3 = L.Fma(x, left, c3);
            d3 = L.Fma(x, right, d3);
            x = L.Create(a[4 * A.Row]);
            c4 = L.Fma(x, left, c4);
            d4 = L.Fma(x, right, d4);
            x = L.Create(a[5 * A.Row]);
            c5 = L.Fma(x, left, c5);
            d5 = L.Fma(x, right, d5);
        }

        Store(c, c0, d0);
        Store(c + cStride, c1, d1);
        Store(c + (2 * cStride), c2, d2);
        Store(c + (3 * cStride), c3, d3);
        Store(c + (4 * cStride), c4, d4);
        Store(c + (5 * cStride), c5, d5);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static void Store(float* row, V left, V right)
    {
        L.Store(row, left);
        L.Store(row + L.Count, right);
    }
}
