using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using FramePainter.Backends.Cpu.Jit;
using FramePainter.Backends.Cpu.Simd;

namespace FramePainter.Backends.Cpu.Kernels;

/// <summary>
/// Rows of heads as pairs of bfloat16: queries as they lie, keys turned in pairs of channels, values in pairs of keys. Rows are rounded first; what is turned and
/// mixed then is half as much. AVX-512 only.
/// </summary>
/// <param name="kernels">What rounds.</param>
/// <param name="dim">Channels of a head, an even number.</param>
internal readonly unsafe struct BrainPanels(BrainKernels kernels, int dim)
{
    /// <summary>Columns of a panel: two registers of words.</summary>
    const int Width = 32;

    /// <summary>Rows rounded at a time: a panel's keys.</summary>
    const int StageRows = Width;

    /// <summary>Words of a head's row, filled up to whole registers.</summary>
    public static int RowWords(int dim) => ((dim / BrainTiles.PairInputs) + Lanes512.Count - 1) / Lanes512.Count * Lanes512.Count;

    /// <summary>Floats of scratch that rounding wants: rounded rows, and rows that are no whole registers as floats.</summary>
    public static int StageFloats(int dim) => StageRows * RowWords(dim) * (1 + BrainTiles.PairInputs);

    /// <summary>Scales a query and rounds it.</summary>
    /// <param name="query">The query, from the head's first channel on.</param>
    /// <param name="factor">Its factor.</param>
    /// <param name="words">Receives it: <see cref="RowWords"/>.</param>
    /// <param name="stage">Scratch of <see cref="StageFloats"/>.</param>
    public void LoadQuery(float* query, float factor, float* words, float* stage)
    {
        Pointwise.Scale<Lanes512, Vector512<float>>(query, factor, stage, dim);
        kernels.Round(stage, 0, words, 0, 1, dim / BrainTiles.PairInputs);
    }

    /// <summary>Turns keys: panels [pairs of channels][width], zeros where there is no key.</summary>
    /// <param name="key">The keys, from the head's first channel on.</param>
    /// <param name="first">The first.</param>
    /// <param name="count">How many keys.</param>
    /// <param name="panels">Receives them.</param>
    /// <param name="stage">Scratch of <see cref="StageFloats"/>.</param>
    public void LoadKeys(Rows key, long first, int count, float* panels, float* stage)
    {
        var pairs = dim / BrainTiles.PairInputs;
        for (var column = 0; column < count; column += Width)
        {
            var panel = panels + ((long)column * pairs);
            var some = Math.Min(Width, count - column);
            Round(key, first + column, some, stage);

            // Words are moved as if they were floats: all bits stay.
            Transposition.Turn<Lanes512, Vector512<float>>(stage, RowWords(dim), some, pairs, panel, Width);
            for (var k = 0; some < Width && k < pairs; k++)
            {
                new Span<float>(panel + (k * Width) + some, Width - some).Clear();
            }
        }
    }

    /// <summary>Mixes values: panels [pairs of keys][width] with room for a whole tile of keys, a row of zeros behind an odd last one.</summary>
    /// <param name="value">The values, from the head's first channel on.</param>
    /// <param name="first">The first.</param>
    /// <param name="count">How many keys.</param>
    /// <param name="most">Keys that a panel has room for.</param>
    /// <param name="panels">Receives them.</param>
    /// <param name="stage">Scratch of <see cref="StageFloats"/>.</param>
    public void LoadValues(Rows value, long first, int count, int most, float* panels, float* stage)
    {
        var rowWords = RowWords(dim);
        var lower = Vector512.Create((ushort)0, 32, 1, 33, 2, 34, 3, 35, 4, 36, 5, 37, 6, 38, 7, 39, 8, 40, 9, 41, 10, 42, 11, 43, 12, 44, 13, 45, 14, 46, 15, 47);
        var upper = lower + Vector512.Create((ushort)16);
        for (var key = 0; key < count; key += StageRows)
        {
            var some = Math.Min(StageRows, count - key);
            Round(value, first + key, some, stage);
            if (some % BrainTiles.PairInputs != 0)
            {
                new Span<float>(stage + (some * rowWords), rowWords).Clear();
            }

            for (var k = 0; k < some; k += BrainTiles.PairInputs)
            {
                var even = stage + (k * rowWords);
                var odd = even + rowWords;
                var to = panels + ((key + k) / BrainTiles.PairInputs * Width);
                for (var word = 0; word < rowWords; word += Lanes512.Count, to += most / BrainTiles.PairInputs * Width)
                {
                    var (left, right) = (Vector512.Load((ushort*)(even + word)), Vector512.Load((ushort*)(odd + word)));
                    Avx512BW.PermuteVar32x16x2(left, lower, right).Store((ushort*)to);
                    Avx512BW.PermuteVar32x16x2(left, upper, right).Store((ushort*)(to + Lanes512.Count));
                }
            }
        }
    }

    // Rounding reads whole registers: rows that are none are copied first, lest what lies behind a tensor be read.
    void Round(Rows rows, long first, int count, float* stage)
    {
        var rowWords = RowWords(dim);
        var source = rows[first];
        long distance = rows.Stride;
        if (dim % (BrainTiles.PairInputs * Lanes512.Count) != 0)
        {
            source = stage + (StageRows * rowWords);
            distance = BrainTiles.PairInputs * rowWords;
            for (var row = 0; row < count; row++)
            {
                Parts.Copy(rows[first + row], source + (row * distance), dim, BrainTiles.PairInputs * rowWords);
            }
        }

        kernels.Round(source, distance, stage, rowWords, count, dim / BrainTiles.PairInputs);
    }
}
