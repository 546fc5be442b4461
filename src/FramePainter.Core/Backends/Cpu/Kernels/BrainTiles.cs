using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using FramePainter.Backends.Cpu.Jit;
using FramePainter.Backends.Cpu.Simd;
using FramePainter.Tensors;

namespace FramePainter.Backends.Cpu.Kernels;

/// <summary>
/// Rows rounded to bfloat16 by weights of bfloat16, or of bytes, which bfloat16 holds exactly. A word is a pair of inputs, as large as a float: rows, panels and
/// tiles take the same memory as in float32 and hold twice the inputs. AVX-512 only.
/// </summary>
/// <param name="type">Type of the packed weights, BF16 or I8.</param>
/// <param name="kernels">The assembled kernels.</param>
/// <param name="pairs">Whether tiles of two panels are wanted; AMX has none.</param>
internal sealed unsafe class BrainTiles(DType type, BrainKernels kernels, bool pairs) : TileArithmetic(kernels.TileRows)
{
    /// <summary>Inputs of a word.</summary>
    public const int PairInputs = 2;

    /// <summary>Pairs gathered at a time: their floats fill a row of the stage.</summary>
    const int Stage = Blocking.Inputs / PairInputs;

    /// <summary>Rows gathered at a time: the stage is 19 KB, more than half of a first-level cache but no more.</summary>
    const int StageRows = 14;

    /// <summary>Bytes of a panel's word: two registers.</summary>
    const int PanelWordBytes = 128;

    /// <summary>Whether attention to heads so wide is computed in bfloat16: they come in pairs of channels.</summary>
    /// <param name="dim">Channels of a head.</param>
    public static bool TakesHeads(int dim) => dim % PairInputs == 0;

    /// <inheritdoc/>
    public override int RowStep => kernels.RowStep;

    /// <inheritdoc/>
    public override int Rows => kernels.Matrices ? Blocking.MatrixRows : pairs ? Blocking.PairedRows : Blocking.Rows;

    /// <inheritdoc/>
    public override int Columns => kernels.Matrices || pairs ? Blocking.ColumnsInPlace : Blocking.Columns;

    /// <inheritdoc/>
    public override bool TakesAnyDistance => true;

    /// <inheritdoc/>
    public override bool Finishes => !kernels.Matrices;

    /// <inheritdoc/>
    public override bool Pairs => pairs && !kernels.Matrices;

    /// <inheritdoc/>
    public override int StageFloats => StageRows * Blocking.RowStride;

    /// <inheritdoc/>
    // An odd number of cache lines, so that the rows of a tile spread over all cache sets.
    public override int Distance(int words) => Lanes512.Count * (((words + Lanes512.Count - 1) / Lanes512.Count) | 1);

    /// <inheritdoc/>
    public override void Enter() => kernels.Enter();

    /// <inheritdoc/>
    public override void Leave() => kernels.Leave();

    /// <inheritdoc/>
    public override void Gather(RowSource source, RowBlock block, int word, int words, float* rows, int distance, float* stage)
    {
        for (var at = 0; at < words;)
        {
            var first = (word + at) * PairInputs;
            var pairs = Math.Min(source.SideBySide(first) / PairInputs, words - at) / Lanes512.Count * Lanes512.Count;
            if (pairs > 0 && first >= block.Input && first + (pairs * PairInputs) <= block.Input + block.Inputs)
            {
                Round(source, block, first, pairs, rows + at, distance);
            }
            else
            {
                pairs = Math.Min(Stage, words - at);
                Collect(source, block, first, pairs, rows + at, distance, stage);
            }

            at += pairs;
        }
    }

    /// <summary>Rows from where they are.</summary>
    void Round(RowSource source, RowBlock block, int first, int pairs, float* rows, int distance)
    {
        for (var row = 0; row < block.Rows;)
        {
            var evenly = source.Evenly(block.Row + row, block.Rows - row, first);
            var to = rows + ((long)row * distance);
            if (evenly.Place != 0)
            {
                kernels.Round((float*)evenly.Place, evenly.Distance, to, distance, evenly.Rows, pairs);
            }
            else
            {
                Clear(to, evenly.Rows, distance, 0, pairs);
            }

            row += evenly.Rows;
        }
    }

    /// <summary>Rows that do not lie evenly spaced, or words with an input that is not the block's.</summary>
    void Collect(RowSource source, RowBlock block, int first, int pairs, float* rows, int distance, float* stage)
    {
        var from = Math.Max(first, block.Input);
        var to = Math.Min(first + (pairs * PairInputs), block.Input + block.Inputs);
        for (var row = 0; row < block.Rows; row += StageRows)
        {
            var count = Math.Min(StageRows, block.Rows - row);
            source.Gather(block.Row + row, count, from, to - from, stage + (from - first));
            Clear(stage, count, Blocking.RowStride, 0, from - first);
            Clear(stage, count, Blocking.RowStride, to - first, pairs * PairInputs);
            kernels.Round(stage, Blocking.RowStride, rows + ((long)row * distance), distance, count, pairs);
        }
    }

    /// <inheritdoc/>
    public override ReadyPanels Ready(byte* weights, int words, bool narrow, int tiles, byte* spare) =>
        new(new ReadyPanel((nint)Wide(weights, words, spare), narrow ? kernels.Narrow : kernels.Wide));

    /// <inheritdoc/>
    public override ReadyPanels ReadyPair(byte* first, byte* second, int words, byte* spare)
    {
        var left = Wide(first, words, spare);
        return new(new ReadyPanel((nint)left, kernels.Paired, Wide(second, words, spare + ((long)words * PanelWordBytes)) - left));
    }

    /// <inheritdoc/>
    public override void Sum(TileCall* call, nint[] of, int count) => FloatKernels.Run(of[count - 1], call);

    /// <summary>A panel as kernels read it.</summary>
    byte* Wide(byte* weights, int words, byte* spare)
    {
        if (type != DType.I8)
        {
            return weights;
        }

        Widen(weights, words, spare);
        return spare;
    }

    static void Clear(float* rows, int count, int distance, int from, int to)
    {
        for (var r = 0; from < to && r < count; r++)
        {
            new Span<float>(rows + ((long)r * distance) + from, to - from).Clear();
        }
    }

    /// <summary>Pairs of bytes to pairs of bfloat16: the upper half of the float that each byte is.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    static void Widen(byte* source, int words, byte* destination)
    {
        const int pairs = 16;
        for (var i = 0; i < 2 * words; i++)
        {
            var both = Avx512F.ConvertToVector512Int32(Vector256.Load((short*)source));
            var first = Vector512.ConvertToSingle(both << 24 >> 24).AsUInt32() >> 16;
            var second = Vector512.ConvertToSingle(both >> 8).AsUInt32();
            (first | second).Store((uint*)destination);
            source += pairs * PairInputs;
            destination += pairs * sizeof(uint);
        }
    }
}
