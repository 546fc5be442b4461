using FramePainter.Backends.Cpu;
using FramePainter.Backends.Cpu.Jit;
using FramePainter.Evaluation;

namespace FramePainter.Goldens.Tests;

/// <summary>How far the golden pipelines move when products or weights are kept in narrow numbers: the bounds of docs/numerics.md.</summary>
public sealed class PrecisionTests(ITestOutputHelper output)
{
    /// <summary>Bfloat16 throughout on any processor with AVX-512; without AVX512-BF16 the default only rounds weights.</summary>
    static readonly CpuNumbers s_spelledOut = new(Precision.BFloat16) { Support = BrainSupport.SpelledOut };

    /// <summary>The same as AMX sums it.</summary>
    static readonly CpuNumbers s_matrices = new(Precision.BFloat16) { Support = BrainSupport.SpelledOutMatrices };

    [Theory]
    [InlineData("tiny-pipeline-1")]
    [InlineData("tiny-pipeline-4")]
    [InlineData("tiny-pipeline-7")]
    public void Narrow_numbers_keep_the_latents_and_the_picture(string name)
    {
        var golden = GoldenCase.Open(GoldenCase.DefaultRoot(), name);
        var exact = Run(golden, CpuNumbers.Default);
        foreach (var (numbers, most, least) in new[]
        {
            (new CpuNumbers(Precision.BFloat16), 2e-2, 40.0), (s_spelledOut, 2e-2, 40.0), (s_matrices, 2e-2, 40.0),
            (new CpuNumbers(Weights: WeightFormat.BFloat16), 2e-2, 40.0),
            (new CpuNumbers(Weights: WeightFormat.Int8), 6e-2, 35.0), (new CpuNumbers(Precision.BFloat16, WeightFormat.Int8), 6e-2, 35.0), (s_spelledOut with { Weights = WeightFormat.Int8 }, 6e-2, 35.0),
        })
        {
            var narrow = Run(golden, numbers);
            var relative = RelativeL2(exact["latents"].Values, narrow["latents"].Values);
            var psnr = Psnr(exact["frames"], narrow["frames"]);
            output.WriteLine($"{name}, {numbers.Precision}{(numbers.Support is null ? "" : numbers.Support == s_matrices.Support ? " of AMX, spelled out" : " spelled out")}, weights {numbers.Weights}: latents {relative:E2}, decoded {psnr:F1} dB");
            Assert.InRange(relative, 0, most);
            Assert.True(psnr >= least, $"{psnr:F1} dB");
        }
    }

    static Dictionary<string, GoldenTensor> Run(GoldenCase golden, CpuNumbers numbers)
    {
        using var backend = new CpuBackend(2, null, numbers);
        return PipelineKind.Run(golden, backend);
    }

    static double RelativeL2(double[] expected, double[] actual) =>
        Math.Sqrt(expected.Zip(actual, (x, y) => (x - y) * (x - y)).Sum() / expected.Sum(x => x * x));

    static double Psnr(GoldenTensor expected, GoldenTensor actual) => ImageMetrics.Psnr(Picture(expected), Picture(actual));

    /// <summary>All frames below each other.</summary>
    static PixelImage Picture(GoldenTensor frames) => PixelImage.FromPixels(
        [.. frames.Values.Select(v => (byte)v)], (int)frames.Shape[2], (int)(frames.Shape[0] * frames.Shape[1]), PixelFormat.Rgb24);
}
