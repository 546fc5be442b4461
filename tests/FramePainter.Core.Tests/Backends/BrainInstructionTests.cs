using FramePainter.Backends.Cpu.Jit;
using FramePainter.Backends.Cpu.Simd;
using FramePainter.Tensors;

namespace FramePainter.Tests.Backends;

/// <summary>The instructions of AVX512-BF16, and what spells them out, do what Intel publishes of them, to the bit.</summary>
public sealed class BrainInstructionTests
{
    const uint SmallestNormal = 0x0080_0000;

    /// <summary>Spelled-out ones, and the processor's own where it has them.</summary>
    public static TheoryData<bool> AllKernels => BrainSupport.OfThisMachine.Kernels is null ? [true] : [true, false];

    [Theory]
    [MemberData(nameof(AllKernels))]
    public unsafe void A_dot_adds_the_odd_product_first_and_takes_subnormals_for_zeros(bool spelledOut)
    {
        var kernels = Kernels(spelledOut);
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
            BrainKernels.Sum(kernels.Wide[0], &call);
            for (var c = 0; c < columns; c++)
            {
                Assert.True(expected[c] == sums[c] || (IsNaN(expected[c]) && IsNaN(sums[c])), $"round {round}, column {c}: expected {expected[c]:X8}, found {sums[c]:X8}");
            }
        }
    }

    [Theory]
    [MemberData(nameof(AllKernels))]
    public unsafe void Rounding_is_to_nearest_even_as_the_converter_rounds(bool spelledOut)
    {
        var kernels = Kernels(spelledOut);
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
        kernels.Round((float*)source.Pointer, (float*)target.Pointer, rows, pairs);
        Check();
        Assert.All(target.Span<float>(rows * Blocking.RowStride * sizeof(float), Blocking.RowStride).ToArray(), x => Assert.Equal(0, x));

        // In place too: words never overtake the floats that are still to be read.
        source.Span<float>(0, floats.Length).CopyTo(target.Span<float>(0, floats.Length));
        kernels.Round((float*)target.Pointer, (float*)target.Pointer, rows, pairs);
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
        var kernels = Kernels(spelledOut: true);
        using var memory = new NativeBuffer(4 * Blocking.RowStride * sizeof(float));
        var words = (float*)memory.Pointer;
        kernels.Round(words, words + (2 * Blocking.RowStride), 2, 16);
        var call = new TileCall { Rows = words, Panel = (byte*)words, Words = 1, Sums = words + (2 * Blocking.RowStride) };
        BrainKernels.Sum(kernels.Narrow[0], &call);
        words[0] = float.Epsilon;
        Assert.Equal(2 * float.Epsilon, words[0] + words[0]);
    }

    static BrainKernels Kernels(bool spelledOut)
    {
        var support = spelledOut ? BrainSupport.SpelledOut : BrainSupport.OfThisMachine;
        Assert.SkipUnless(support.Kernels is not null, support.Absence ?? "");
        return support.Kernels!;
    }

    static uint Fused(uint left, uint right, uint addend)
    {
        var sum = MathF.FusedMultiplyAdd(Number(left), Number(right), Number(addend));
        return Flushed(BitConverter.SingleToUInt32Bits(sum));
    }

    static float Number(uint bits) => BitConverter.UInt32BitsToSingle(Flushed(bits));

    static uint Flushed(uint bits) => (bits & 0x7FFF_FFFF) < SmallestNormal ? bits & 0x8000_0000 : bits;

    static bool IsNaN(uint bits) => float.IsNaN(BitConverter.UInt32BitsToSingle(bits));
}
