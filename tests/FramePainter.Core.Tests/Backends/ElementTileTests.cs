using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using FramePainter.Backends.Cpu.Simd;
using FramePainter.Tensors;

namespace FramePainter.Core.Tests.Backends;

/// <summary>Arm64's tiles sum the chains of multiply-adds that every kernel sums, to the bit. On other processors elements are taken in another way, and all else is the same.</summary>
public sealed unsafe class ElementTileTests
{
    const int Width = 2 * 4;
    const int Rows = ElementKernels.TileRows;
    const float Untouched = 12345;

    readonly Random _random = new(8);

    public static TheoryData<string, int> Kernels =>
        [.. from type in new[] { "F32", "F16", "BF16" } from rows in Enumerable.Range(1, Rows) select new TheoryDataRow<string, int>(type, rows)];

    [Theory]
    [MemberData(nameof(Kernels))]
    public void Gathered_rows(string name, int count)
    {
        var type = Enum.Parse<DType>(name);
        foreach (var narrow in type == DType.F32 ? new[] { false, true } : [false])
        {
            foreach (var (inputs, accumulate) in new[] { (1, false), (3, true), (4, false), (7, true), (320, false) })
            {
                var (rows, weights) = (Numbers(Rows * Blocking.RowStride), Weights(type, inputs, out var panel));
                var before = Numbers(Rows * Width);
                var sums = before.ToArray();
                fixed (float* r = rows, s = sums)
                fixed (byte* p = panel)
                {
                    ((delegate*<float*, byte*, int, float*, bool, void>)ElementKernels.Of(type, narrow)[count - 1])(r, p, inputs, s, accumulate);
                }

                for (var i = 0; i < sums.Length; i++)
                {
                    var (row, column) = Math.DivRem(i, Width);
                    var summed = row < count && (!narrow || column < Width / 2);
                    Assert.Equal(summed ? Chain(accumulate ? before[i] : 0, k => rows[(row * Blocking.RowStride) + k], k => weights[(k * Width) + column], inputs) : before[i], sums[i]);
                }
            }
        }
    }

    /// <summary>Numbers of eight rows side by side, and rows of them, as attention has them.</summary>
    [Fact]
    public void Layouts_of_attention()
    {
        foreach (var depth in new[] { 1, 5, 64, 67 })
        {
            Check<SideBySide>(depth, 0, 24);
            Check<SideBySide>(depth, Width, Width);
            Check<InRows>(depth, 0, 24);
            Check<InRows>(depth, 24, 24);
        }

        void Check<A>(int depth, int startStride, int stride)
            where A : struct, ITileLayout
        {
            var (a, weights) = (Numbers(Rows * 72), Weights(DType.F32, depth, out var panel));
            var (start, sums) = (Numbers(Rows * 24), new float[Rows * 24]);
            Array.Fill(sums, Untouched);
            fixed (float* numbers = a, s = start, c = sums)
            fixed (byte* b = panel)
            {
                ElementTile<ReadF32<Lanes128, Vector128<float>>, A, N8, N2>.Multiply(depth, numbers, b, s, startStride, c, stride);
            }

            for (var i = 0; i < Rows * stride; i++)
            {
                var (row, column) = Math.DivRem(i, stride);
                Assert.Equal(
                    column < Width ? Chain(start[(row * startStride) + column], k => a[(row * A.Row) + (k * A.Step)], k => weights[(k * Width) + column], depth) : Untouched, sums[i]);
            }
        }
    }

    static float Chain(float sum, Func<int, float> left, Func<int, float> right, int depth)
    {
        for (var k = 0; k < depth; k++)
        {
            sum = Fma(left(k), right(k), sum);
        }

        return sum;

        // Fused where the processor can.
        static float Fma(float x, float y, float z) => Lanes128.Fma(Vector128.Create(x), Vector128.Create(y), Vector128.Create(z))[0];
    }

    float[] Numbers(int count) => [.. Enumerable.Range(0, count).Select(_ => (float)((_random.NextDouble() * 2) - 1))];

    /// <summary>Weights of a type as floats, and as the bytes that kernels read.</summary>
    float[] Weights(DType type, int inputs, out byte[] panel)
    {
        var numbers = Numbers(inputs * Width);
        switch (type)
        {
            case DType.F16:
                var halves = Array.ConvertAll(numbers, x => (Half)x);
                panel = MemoryMarshal.AsBytes<Half>(halves).ToArray();
                return Array.ConvertAll(halves, x => (float)x);
            case DType.BF16:
                var brains = Array.ConvertAll(numbers, x => (ushort)(BitConverter.SingleToUInt32Bits(x) >> 16));
                panel = MemoryMarshal.AsBytes<ushort>(brains).ToArray();
                return Array.ConvertAll(brains, x => BitConverter.UInt32BitsToSingle((uint)x << 16));
            default:
                panel = MemoryMarshal.AsBytes<float>(numbers).ToArray();
                return numbers;
        }
    }

    readonly struct SideBySide : ITileLayout
    {
        public static int Row => 1;

        public static int Step => Rows;
    }

    readonly struct InRows : ITileLayout
    {
        public static int Row => 72;

        public static int Step => 1;
    }
}
