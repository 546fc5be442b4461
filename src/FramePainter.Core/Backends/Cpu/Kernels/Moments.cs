using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using FramePainter.Backends.Cpu.Simd;

namespace FramePainter.Backends.Cpu.Kernels;

/// <summary>
/// Sums of differences from a pivot and of their squares, in double. The pivot is a sample of the same data: a mean that is large
/// beside the deviation cancels before anything is squared, and partial sums with one pivot add up in any cut.
/// </summary>
internal static unsafe class Moments
{
    // So many rows are read side by side: each sum is loaded and stored once for them, and the prefetcher follows as many streams.
    const int RowsAtOnce = 8;

    /// <summary>Adds the moments of each column of a block of rows.</summary>
    /// <param name="block">First row.</param>
    /// <param name="stride">Floats from row to row.</param>
    /// <param name="rows">Rows.</param>
    /// <param name="columns">Columns.</param>
    /// <param name="pivots">A pivot for each column.</param>
    /// <param name="sums">Σ(x − pivot) of each column, added to.</param>
    /// <param name="squares">Σ(x − pivot)² of each column, added to.</param>
    public static void AddColumns<L, V>(float* block, nint stride, long rows, int columns, float* pivots, double* sums, double* squares)
        where L : struct, ILanes<V>
        where V : struct
    {
        for (long row = 0; row < rows; row += RowsAtOnce, block += RowsAtOnce * stride)
        {
            var count = (int)Math.Min(RowsAtOnce, rows - row);
            var column = 0;
            for (; column <= columns - L.Count; column += L.Count)
            {
                if (typeof(V) == typeof(Vector512<float>))
                {
                    Columns512(block + column, stride, count, pivots + column, sums + column, squares + column);
                }
                else if (typeof(V) == typeof(Vector256<float>))
                {
                    Columns256(block + column, stride, count, pivots + column, sums + column, squares + column);
                }
                else if (typeof(V) == typeof(Vector128<float>))
                {
                    Columns128(block + column, stride, count, pivots + column, sums + column, squares + column);
                }
                else
                {
                    Column(block + column, stride, count, pivots[column], sums + column, squares + column);
                }
            }

            for (; column < columns; column++)
            {
                Column(block + column, stride, count, pivots[column], sums + column, squares + column);
            }
        }
    }

    /// <summary>The moments of neighbouring floats about one pivot.</summary>
    /// <param name="source">The floats.</param>
    /// <param name="count">How many.</param>
    /// <param name="pivot">The pivot.</param>
    public static (double Sum, double Squares) Of<L, V>(float* source, int count, float pivot)
        where L : struct, ILanes<V>
        where V : struct
    {
        var sums = stackalloc double[L.Count];
        var squares = stackalloc double[L.Count];
        var pivots = stackalloc float[L.Count];
        for (var i = 0; i < L.Count; i++)
        {
            (sums[i], squares[i], pivots[i]) = (0, 0, pivot);
        }

        var rows = count / L.Count;
        AddColumns<L, V>(source, L.Count, rows, L.Count, pivots, sums, squares);
        AddColumns<L, V>(source + (rows * L.Count), L.Count, 1, count - (rows * L.Count), pivots, sums, squares);
        double sum = 0, square = 0;
        for (var i = 0; i < L.Count; i++)
        {
            sum += sums[i];
            square += squares[i];
        }

        return (sum, square);
    }

    static void Column(float* block, nint stride, int rows, float pivot, double* sum, double* square)
    {
        for (var row = 0; row < rows; row++, block += stride)
        {
            double d = *block - pivot;
            *sum += d;
            *square += d * d;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static void Columns512(float* block, nint stride, int rows, float* pivots, double* sums, double* squares)
    {
        var pivot = Vector512.Load(pivots);
        var (sumLow, sumHigh) = (Vector512.Load(sums), Vector512.Load(sums + 8));
        var (squareLow, squareHigh) = (Vector512.Load(squares), Vector512.Load(squares + 8));
        for (var row = 0; row < rows; row++, block += stride)
        {
            var d = Vector512.Load(block) - pivot;
            var (low, high) = (Avx512F.ConvertToVector512Double(d.GetLower()), Avx512F.ConvertToVector512Double(d.GetUpper()));
            sumLow += low;
            sumHigh += high;
            squareLow = Avx512F.FusedMultiplyAdd(low, low, squareLow);
            squareHigh = Avx512F.FusedMultiplyAdd(high, high, squareHigh);
        }

        sumLow.Store(sums);
        sumHigh.Store(sums + 8);
        squareLow.Store(squares);
        squareHigh.Store(squares + 8);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static void Columns256(float* block, nint stride, int rows, float* pivots, double* sums, double* squares)
    {
        var pivot = Vector256.Load(pivots);
        var (sumLow, sumHigh) = (Vector256.Load(sums), Vector256.Load(sums + 4));
        var (squareLow, squareHigh) = (Vector256.Load(squares), Vector256.Load(squares + 4));
        for (var row = 0; row < rows; row++, block += stride)
        {
            var d = Vector256.Load(block) - pivot;
            var (low, high) = (Avx.ConvertToVector256Double(d.GetLower()), Avx.ConvertToVector256Double(d.GetUpper()));
            sumLow += low;
            sumHigh += high;
            squareLow = Fma.MultiplyAdd(low, low, squareLow);
            squareHigh = Fma.MultiplyAdd(high, high, squareHigh);
        }

        sumLow.Store(sums);
        sumHigh.Store(sums + 4);
        squareLow.Store(squares);
        squareHigh.Store(squares + 4);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static void Columns128(float* block, nint stride, int rows, float* pivots, double* sums, double* squares)
    {
        var pivot = Vector128.Load(pivots);
        var (sumLow, sumHigh) = (Vector128.Load(sums), Vector128.Load(sums + 2));
        var (squareLow, squareHigh) = (Vector128.Load(squares), Vector128.Load(squares + 2));
        for (var row = 0; row < rows; row++, block += stride)
        {
            var (low, high) = Vector128.Widen(Vector128.Load(block) - pivot);
            sumLow += low;
            sumHigh += high;
            squareLow += low * low;
            squareHigh += high * high;
        }

        sumLow.Store(sums);
        sumHigh.Store(sums + 2);
        squareLow.Store(squares);
        squareHigh.Store(squares + 2);
    }
}
