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
internal sealed unsafe class BrainTiles(DType type, BrainKernels kernels) : TileArithmetic(kernels.TileRows)
{
    /// <summary>Inputs of a word.</summary>
    public const int PairInputs = 2;

    /// <summary>Pairs gathered at a time: their floats fill a row of the stage.</summary>
    const int Stage = Blocking.Inputs / PairInputs;

    /// <summary>Rows gathered at a time: the stage is 19 KB, more than half of a first-level cache but no more.</summary>
    const int StageRows = 14;

    /// <inheritdoc/>
    public override int RowStep => kernels.RowStep;

    /// <inheritdoc/>
    public override int Rows => kernels.Matrices ? Blocking.MatrixRows : Blocking.Rows;

    /// <inheritdoc/>
    public override int Columns => kernels.Matrices ? Blocking.ColumnsInPlace : Blocking.Columns;

    /// <inheritdoc/>
    public override void Enter() => kernels.Enter();

    /// <inheritdoc/>
    public override void Leave() => kernels.Leave();

    /// <inheritdoc/>
    public override void Gather(RowSource source, RowBlock block, int word, int words, float* rows, float* spare)
    {
        for (var at = 0; at < words; at += Stage)
        {
            var pairs = Math.Min(Stage, words - at);
            var first = (word + at) * PairInputs;
            var from = Math.Max(first, block.Input);
            var to = Math.Min(first + (pairs * PairInputs), block.Input + block.Inputs);
            for (var row = 0; row < block.Rows; row += StageRows)
            {
                var count = Math.Min(StageRows, block.Rows - row);
                source.Gather(block.Row + row, count, from, to - from, spare + (from - first));
                Clear(spare, count, 0, from - first);
                Clear(spare, count, to - first, pairs * PairInputs);
                kernels.Round(spare, rows + (row * Blocking.RowStride) + at, count, pairs);
            }
        }
    }

    /// <inheritdoc/>
    public override ReadyPanels Ready(byte* weights, int words, bool narrow, int tiles, byte* spare)
    {
        if (type == DType.I8)
        {
            Widen(weights, words, spare);
            weights = spare;
        }

        return new ReadyPanels(new ReadyPanel((nint)weights, narrow ? kernels.Narrow : kernels.Wide));
    }

    /// <inheritdoc/>
    public override void Sum(TileCall* call, nint[] kernels, int count) => BrainKernels.Sum(kernels[count - 1], call);

    static void Clear(float* rows, int count, int from, int to)
    {
        for (var r = 0; from < to && r < count; r++)
        {
            new Span<float>(rows + (r * Blocking.RowStride) + from, to - from).Clear();
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
