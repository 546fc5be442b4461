using FramePainter.Backends.Cpu.Jit;
using FramePainter.Backends.Cpu.Simd;
using FramePainter.Core.Tests.Backends;
using FramePainter.Tensors;

namespace FramePainter.Tests.Backends;

/// <summary>The instructions of AVX512-BF16 and of AMX, and what spells them out, do what Intel publishes of them, to the bit.</summary>
public sealed class BrainInstructionTests
{
    const uint SmallestNormal = 0x0080_0000;

    [Fact]
    public unsafe void A_dot_adds_the_odd_product_first_and_takes_subnormals_for_zeros()
    {
        var kernels = Kernels(BrainKind.Vectors);
        const int pairs = 5, columns = 32;
        using var memory = new NativeBuffer((Blocking.RowStride + ((pairs + 1) * columns)) * sizeof(uint));
        var row = memory.Span<uint>(0, pairs);
        var panel = memory.Span<uint>(Blocking.RowStride * 4, pairs * columns);
        var sums = memory.Span<uint>((Blocking.RowStride + (pairs * columns)) * 4, columns);
        var random = new Random(17);
        for (var round = 0; round < 400; round++)
        {
            // Exponents near each other, so that sums round and cancel; with zeros, subnormals and, in some rounds, what is no finite number.
            var (least, most) = round % 2 == 0 ? (0x3E00, 0x4100) : (0x0000, 0x7F7F);
            uint Any() => (uint)(random.Next(20) switch { 0 => 0, 1 => random.Next(1, 0x80), 2 when round % 5 == 0 => 0x7F80 + (random.Next(2) * 0x41), _ => random.Next(least, most) } | (random.Next(2) << 15));
            foreach (ref var pair in row)
            {
                pair = Any() | (Any() << 16);
            }

            foreach (ref var pair in panel)
            {
                pair = Any() | (Any() << 16);
            }

            foreach (ref var sum in sums)
            {
                sum = (Any() << 16) | (uint)random.Next(0x1_0000);
            }

            var expected = new uint[columns];
            for (var c = 0; c < columns; c++)
            {
                expected[c] = sums[c];
                for (var p = 0; p < pairs; p++)
                {
                    expected[c] = Fused(row[p] & 0xFFFF_0000, panel[(p * columns) + c] & 0xFFFF_0000, expected[c]);
                    expected[c] = Fused(row[p] << 16, panel[(p * columns) + c] << 16, expected[c]);
                }
            }

            var call = new TileCall
            {
                Rows = (float*)memory.Pointer, Panel = (byte*)memory.Pointer + (Blocking.RowStride * 4), Words = pairs, Accumulate = 1,
                Sums = (float*)memory.Pointer + Blocking.RowStride + (pairs * columns),
            };
            FloatKernels.Run(kernels.Wide[0], &call);
            for (var c = 0; c < columns; c++)
            {
                Assert.True(expected[c] == sums[c] || (IsNaN(expected[c]) && IsNaN(sums[c])), $"round {round}, column {c}: expected {expected[c]:X8}, found {sums[c]:X8}");
            }
        }
    }

    /// <summary>One register of rows and two, one of columns and two, whole steps of 16 words and rests, fetching with some, with sums to add to and without, rows and sums at any distance.</summary>
    [Fact]
    public unsafe void A_matrix_product_sums_even_inputs_and_odd_ones_apart_from_zero_sixteen_words_at_a_time()
    {
        var kernels = Kernels(BrainKind.Matrices);
        const int mostRows = 32, mostPairs = 53, columns = 32, mostApart = 70, sumsAt = (mostRows * Blocking.RowStride) + (mostPairs * columns);
        using var memory = new NativeBuffer((sumsAt + (mostRows * mostApart)) * sizeof(uint));
        var words = memory.Span<uint>(0, sumsAt + (mostRows * mostApart));
        var random = new Random(29);
        Assert.Equal(mostRows, kernels.TileRows);
        for (var round = 0; round < 120; round++)
        {
            var (rows, narrow, accumulate, pairs) = (16 * (1 + (round % 2)), round / 2 % 2 == 1, round / 4 % 2 == 1, round % 8 == 0 ? 16 * random.Next(1, 4) : random.Next(1, mostPairs + 1));
            var (least, most) = round % 3 == 0 ? (0x0000, 0x7F7F) : (0x3E00, 0x4100);
            var (apart, sumsApart) = (random.Next(mostPairs, Blocking.RowStride + 1), random.Next(columns, mostApart + 1));
            uint Any() => (uint)(random.Next(20) switch { 0 => 0, 1 => random.Next(1, 0x80), 2 when round % 5 == 0 => 0x7F80 + (random.Next(2) * 0x41), _ => random.Next(least, most) } | (random.Next(2) << 15));
            foreach (ref var word in words)
            {
                word = Any() | (Any() << 16);
            }

            var panel = words[(mostRows * Blocking.RowStride)..];
            var before = words[sumsAt..].ToArray();
            var call = new TileCall
            {
                Rows = (float*)memory.Pointer, Panel = (byte*)((uint*)memory.Pointer + (mostRows * Blocking.RowStride)), Words = pairs, Distance = apart * sizeof(float),
                Accumulate = accumulate ? 1 : 0, Fetches = random.Next(pairs + 1), Sums = (float*)memory.Pointer + sumsAt, SumDistance = sumsApart * sizeof(float),
            };
            kernels.Enter();
            FloatKernels.Run((narrow ? kernels.Narrow : kernels.Wide)[rows - 1], &call);
            kernels.Leave();
            for (var i = 0; i < before.Length; i++)
            {
                var (row, column) = Math.DivRem(i, sumsApart);
                var expected = before[i];
                if (row < rows && column < (narrow ? 16 : columns))
                {
                    expected = accumulate ? before[i] : 0;
                    for (var from = 0; from < pairs; from += 16)
                    {
                        uint even = 0, odd = 0;
                        for (var p = from; p < Math.Min(from + 16, pairs); p++)
                        {
                            var (left, right) = (words[(row * apart) + p], panel[(p * columns) + column]);
                            (even, odd) = (Fused(left << 16, right << 16, even), Fused(left & 0xFFFF_0000, right & 0xFFFF_0000, odd));
                        }

                        expected = Sum(expected, Sum(even, odd));
                    }
                }

                var got = words[sumsAt + i];
                Assert.True(expected == got || (IsNaN(expected) && IsNaN(got)), $"round {round}: {rows} rows, {pairs} pairs, row {row}, column {column}: expected {expected:X8}, found {got:X8}");
            }
        }
    }

    [Fact]
    public unsafe void Rounding_is_to_nearest_even_as_the_converter_rounds()
    {
        var kernels = Kernels(BrainKind.Vectors);
        const int rows = 5, pairs = 133;
        using var source = new NativeBuffer(rows * Blocking.RowStride * sizeof(float));
        using var target = new NativeBuffer((rows + 1) * Blocking.RowStride * sizeof(float));
        var random = new Random(8);
        var floats = source.Span<float>(0, rows * Blocking.RowStride);
        for (var i = 0; i < floats.Length; i++)
        {
            // All exponents from subnormals to NaN, halfway cases among them.
            var bits = (uint)random.NextInt64(0, 0x8000_0000) | ((uint)random.Next(2) << 31);
            floats[i] = BitConverter.UInt32BitsToSingle(i % 3 == 0 ? (bits & 0xFFFF_0000) | 0x8000 : i % 7 == 0 ? bits & 0x807F_FFFF : bits);
        }

        (floats[0], floats[1], floats[2], floats[3]) = (BitConverter.UInt32BitsToSingle(0x7F80_0001), float.NegativeInfinity, -0f, float.MaxValue);
        kernels.Round((float*)source.Pointer, Blocking.RowStride, (float*)target.Pointer, Blocking.RowStride, rows, pairs);
        Check();
        Assert.All(target.Span<float>(rows * Blocking.RowStride * sizeof(float), Blocking.RowStride).ToArray(), x => Assert.Equal(0, x));

        // In place too: words never overtake the floats that are still to be read.
        source.Span<float>(0, floats.Length).CopyTo(target.Span<float>(0, floats.Length));
        kernels.Round((float*)target.Pointer, Blocking.RowStride, (float*)target.Pointer, Blocking.RowStride, rows, pairs);
        Check();

        void Check()
        {
            for (var row = 0; row < rows; row++)
            {
                var got = target.Span<ushort>(row * Blocking.RowStride * sizeof(float), 2 * pairs);
                for (var i = 0; i < got.Length; i++)
                {
                    var x = source.Span<float>(0, rows * Blocking.RowStride)[(row * Blocking.RowStride) + i];
                    var expected = float.IsSubnormal(x) ? (ushort)(BitConverter.SingleToUInt32Bits(x) >> 31 << 15) : HalfConversion.NarrowBF16(x);
                    Assert.True(got[i] == expected || (float.IsNaN(x) && (got[i] & 0x7FFF) > 0x7F80), $"{x:R} became {got[i]:X4}");
                }
            }
        }
    }

    /// <summary>What flushes subnormals is the kernel's own affair.</summary>
    [Fact]
    public unsafe void Floating_point_control_is_the_callers_again_afterwards()
    {
        var kernels = Kernels(BrainKind.Vectors);
        using var memory = new NativeBuffer(20 * Blocking.RowStride * sizeof(float));
        var words = (float*)memory.Pointer;
        kernels.Round(words, Blocking.RowStride, words + (2 * Blocking.RowStride), Blocking.RowStride, 2, 16);
        var call = new TileCall { Rows = words, Panel = (byte*)words, Words = 1, Sums = words + (2 * Blocking.RowStride) };
        FloatKernels.Run(kernels.Narrow[0], &call);
        if (OperatingSystem.IsLinux())
        {
            var matrices = Kernels(BrainKind.Matrices);
            matrices.Enter();
            FloatKernels.Run(matrices.Narrow[0], &call);
            matrices.Leave();
        }

        words[0] = float.Epsilon;
        Assert.Equal(2 * float.Epsilon, words[0] + words[0]);
    }

    static BrainKernels Kernels(BrainKind kind) => BrainKinds.Support(kind).Kernels!;

    static uint Fused(uint left, uint right, uint addend)
    {
        var sum = MathF.FusedMultiplyAdd(Number(left), Number(right), Number(addend));
        return Flushed(BitConverter.SingleToUInt32Bits(sum));
    }

    static uint Sum(uint left, uint right) => Flushed(BitConverter.SingleToUInt32Bits(Number(left) + Number(right)));

    static float Number(uint bits) => BitConverter.UInt32BitsToSingle(Flushed(bits));

    static uint Flushed(uint bits) => (bits & 0x7FFF_FFFF) < SmallestNormal ? bits & 0x8000_0000 : bits;

    static bool IsNaN(uint bits) => float.IsNaN(BitConverter.UInt32BitsToSingle(bits));
}
