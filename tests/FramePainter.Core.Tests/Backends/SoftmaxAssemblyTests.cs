using System.Runtime.InteropServices;
using FramePainter.Backends.Cpu.Jit;
using FramePainter.Backends.Cpu.Simd;
using FramePainter.Tensors;

namespace FramePainter.Core.Tests.Backends;

/// <summary>The assembled softmax of a strip against exponentials in double precision.</summary>
public sealed unsafe class SoftmaxAssemblyTests
{
    const double Error = 9e-8;
    const int Rows = FloatKernels.StripRows;
    const int Stride = FloatKernels.StripStride;

    static readonly string[] s_paths = [nameof(InstructionPath.Avx2), nameof(InstructionPath.Avx512)];

    public static TheoryData<string> Paths => new(s_paths);

    public static TheoryData<string, int, float> Sizes
    {
        get
        {
            var sizes = new TheoryData<string, int, float>();
            foreach (var path in s_paths)
            {
                foreach (var (keys, spread) in new[] { (1, 3f), (63, 0.01f), (64, 30f), (65, 1f), (200, 160f), (256, 0.5f) })
                {
                    sizes.Add(path, keys, spread);
                }
            }

            return sizes;
        }
    }

    [Theory]
    [MemberData(nameof(Sizes))]
    public void Probabilities_sums_and_greatest_scores(string path, int keys, float spread)
    {
        var random = new Random(keys);

        // AVX2 takes the smallest for 0, AVX-512 those that no float holds.
        var nothing = path == nameof(InstructionPath.Avx2) ? Math.Pow(2, -126.5) : 0.71e-45;
        for (var round = 0; round < 50; round++)
        {
            var scores = Enumerable.Range(0, Rows * keys).Select(_ => (float)((random.NextDouble() - 0.5) * 2 * spread)).ToArray();
            var before = Enumerable.Range(0, Rows).Select(r => r == 2 ? 1.5f * spread : r == 3 ? -spread / 2 : float.MinValue).ToArray();
            var (probabilities, largest, sums) = Run(path, scores, keys, before);
            for (var row = 0; row < Rows; row++)
            {
                var greatest = Math.Max(before[row], scores.AsSpan(row * keys, keys).ToArray().Max());
                Assert.Equal(greatest, largest[row]);
                var sum = 0.0;
                for (var key = 0; key < keys; key++)
                {
                    var expected = Math.Pow(2, scores[(row * keys) + key] - greatest);
                    sum += expected;
                    Assert.InRange(probabilities[(row * keys) + key], (expected * (1 - Error)) - nothing, (expected * (1 + Error)) + nothing);
                }

                Assert.Equal(sum, sums[row], 3e-7 * sum);
            }
        }
    }

    [Theory]
    [MemberData(nameof(Paths))]
    public void The_greatest_counts_1_and_minus_infinity_nothing(string path)
    {
        var scores = new float[Rows * 70];
        Array.Fill(scores, float.NegativeInfinity);
        for (var row = 0; row < Rows; row++)
        {
            scores[(row * 70) + (row * 11)] = -1e30f * row;
        }

        scores[69] = -1e9f;
        var (probabilities, _, sums) = Run(path, scores, 70, [.. Enumerable.Repeat(float.MinValue, Rows)]);
        Assert.Equal(Enumerable.Repeat(1f, Rows), sums);
        Assert.Equal(scores.Select((_, i) => i % 70 == i / 70 * 11 ? 1f : 0f), probabilities);
    }

    [Theory]
    [MemberData(nameof(Paths))]
    public void A_NaN_or_positive_infinity_makes_its_row_NaN_and_no_other(string path)
    {
        foreach (var (value, at) in new[] { (float.NaN, 0), (float.NaN, 77), (float.PositiveInfinity, 130), (float.NaN, 139) })
        {
            var scores = new float[Rows * 140];
            scores[(4 * 140) + at] = value;
            var (_, _, sums) = Run(path, scores, 140, [.. Enumerable.Repeat(float.MinValue, Rows)]);
            for (var row = 0; row < Rows; row++)
            {
                Assert.Equal(row == 4, float.IsNaN(sums[row]));
            }
        }
    }

    static (float[] Probabilities, float[] Largest, float[] Sums) Run(string path, float[] scores, int keys, float[] before)
    {
        var kernels = FloatKernels.OfThisMachine(Enum.Parse<InstructionPath>(path), DType.F32);
        Assert.SkipUnless(kernels is not null, "This machine has no assembled kernels.");
        var strip = (float*)NativeMemory.AlignedAlloc((Rows * Stride * sizeof(float)) + 64, 64);
        try
        {
            new Span<float>(strip, Rows * Stride).Fill(float.NegativeInfinity);
            var (largest, sums) = ((float[])before.Clone(), new float[Rows]);
            for (var row = 0; row < Rows; row++)
            {
                scores.AsSpan(row * keys, keys).CopyTo(new Span<float>(strip + (row * Stride), keys));
            }

            fixed (float* most = largest, sum = sums)
            {
                var call = new SoftmaxCall { Strip = strip, Largest = most, Sums = sum, Keys = keys };
                ((delegate* unmanaged<SoftmaxCall*, void>)kernels.Softmax)(&call);
            }

            return ([.. Enumerable.Range(0, Rows * keys).Select(i => strip[(i / keys * Stride) + (i % keys)])], largest, sums);
        }
        finally
        {
            NativeMemory.AlignedFree(strip);
        }
    }
}
