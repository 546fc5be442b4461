using System.Text.Json;
using FramePainter.Evaluation;
using FramePainter.Pipeline;
using FramePainter.Tensors;
using FramePainter.Weights;

namespace FramePainter.Goldens;

/// <summary>Kinds that need no network.</summary>
internal static class HostKinds
{
    public static IReadOnlyDictionary<string, Func<GoldenCase, Dictionary<string, GoldenTensor>>> All { get; } =
        new Dictionary<string, Func<GoldenCase, Dictionary<string, GoldenTensor>>>(StringComparer.Ordinal)
        {
            ["random"] = Random,
            ["scheduler"] = Scheduler,
            ["resize"] = Resize,
            ["clip_preprocess"] = ClipPixels,
            ["metric"] = Metric,
            ["frechet"] = Frechet,
        };

    /// <summary>A picture <c>[H, W, C]</c> of a case.</summary>
    public static PixelImage Picture(GoldenTensor tensor) =>
        PixelImage.FromPixels(tensor.Bytes(), (int)tensor.Shape[1], (int)tensor.Shape[0], tensor.Shape[2] == 1 ? PixelFormat.Gray8 : PixelFormat.Rgb24);

    static Dictionary<string, GoldenTensor> Random(GoldenCase golden)
    {
        var random = new TorchRandom(golden.Args.GetProperty("seed").GetInt64());
        var outputs = new Dictionary<string, GoldenTensor>(StringComparer.Ordinal);
        foreach (var draw in golden.Args.GetProperty("draws").EnumerateArray())
        {
            var shape = new Shape([.. draw.GetProperty("shape").EnumerateArray().Select(e => e.GetInt64())]);
            var values = new float[shape.Count];
            if (draw.GetProperty("dtype").GetString() == "float16")
            {
                var halves = new Half[values.Length];
                random.Randn(halves);
                values = [.. halves.Select(h => (float)h)];
            }
            else
            {
                random.Randn(values);
            }

            outputs.Add($"draw{outputs.Count}", GoldenTensor.Of(shape, values));
        }

        return outputs;
    }

    static Dictionary<string, GoldenTensor> Scheduler(GoldenCase golden)
    {
        var config = SchedulerConfig.Parse(golden.Args.GetProperty("config"), golden.Name);
        var scheduler = new EulerScheduler(new SchedulerSettings(config.SigmaMin, config.SigmaMax), golden.Args.GetProperty("steps").GetInt32());
        return new(StringComparer.Ordinal)
        {
            ["sigmas"] = GoldenTensor.Of(new Shape(scheduler.Sigmas.Length), scheduler.Sigmas),
            ["timesteps"] = GoldenTensor.Of(new Shape(scheduler.Timesteps.Length), scheduler.Timesteps),
            ["init_noise_sigma"] = GoldenTensor.Of(default, [scheduler.InitNoiseSigma]),
        };
    }

    static Dictionary<string, GoldenTensor> Resize(GoldenCase golden)
    {
        var image = golden.Inputs["image"];
        var filter = golden.Args.GetProperty("filter").GetString() switch
        {
            "lanczos" => ResizeFilter.Lanczos,
            "bicubic" => ResizeFilter.Bicubic,
            var other => throw new NotSupportedException($"There is no filter '{other}'."),
        };
        var resized = PillowResize.Resize(Picture(image), golden.Args.GetProperty("width").GetInt32(), golden.Args.GetProperty("height").GetInt32(), filter);
        return One("image", new GoldenTensor([resized.Height, resized.Width, image.Shape[2]], Doubles(resized.Pixels)));
    }

    static Dictionary<string, GoldenTensor> ClipPixels(GoldenCase golden)
    {
        var want = golden.Outputs["pixel_values"].Shape;
        var size = (int)want[^1];
        var pixels = new float[size * size * 3];

        // The published mean and deviation of CLIP (preprocessor_config.json of every model here).
        ClipPreprocess.Run(Picture(golden.Inputs["image"]), size, [0.48145466f, 0.4578275f, 0.40821073f], [0.26862954f, 0.26130258f, 0.27577711f], pixels);
        var first = new float[pixels.Length];
        for (var i = 0; i < pixels.Length; i++)
        {
            first[((i % 3) * size * size) + (i / 3)] = pixels[i];
        }

        return One("pixel_values", GoldenTensor.Of(new Shape(1, 3, size, size), first));
    }

    static Dictionary<string, GoldenTensor> Metric(GoldenCase golden)
    {
        var (a, b) = (Picture(golden.Inputs["a"]), Picture(golden.Inputs["b"]));
        return new(StringComparer.Ordinal)
        {
            ["psnr"] = new([], [ImageMetrics.Psnr(a, b)]),
            ["ssim_uniform7"] = new([], [ImageMetrics.SsimUniform7(a, b)]),
            ["ssim_gaussian"] = new([], [ImageMetrics.SsimGaussian(a, b)]),
        };
    }

    static Dictionary<string, GoldenTensor> Frechet(GoldenCase golden)
    {
        var (a, b) = (golden.Inputs["a"], golden.Inputs["b"]);
        return One("distance", new([], [FrechetDistance.Compute(a.Values, b.Values, (int)a.Shape[1])]));
    }

    internal static Dictionary<string, GoldenTensor> One(string name, GoldenTensor tensor) => new(StringComparer.Ordinal) { [name] = tensor };

    internal static double[] Doubles(ReadOnlySpan<byte> bytes) => [.. bytes.ToArray().Select(b => (double)b)];
}
