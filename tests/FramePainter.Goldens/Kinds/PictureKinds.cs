using FramePainter.Evaluation;
using FramePainter.Pipeline;

namespace FramePainter.Goldens;

/// <summary>Pillow's resize.</summary>
internal sealed class ResizeKind : IGoldenKind
{
    public string Kind => "resize";

    public GoldenOutputs Run(GoldenCase golden)
    {
        var filter = golden.Args.GetProperty("filter").GetString() switch
        {
            "lanczos" => ResizeFilter.Lanczos,
            "bicubic" => ResizeFilter.Bicubic,
            var other => throw new NotSupportedException($"The filter '{other}'."),
        };
        var (width, height) = (golden.Args.GetProperty("width").GetInt32(), golden.Args.GetProperty("height").GetInt32());
        return new GoldenOutputs { ["image"] = GoldenTensor.Of(PillowResize.Resize(golden.Inputs["image"].Image(), width, height, filter)) };
    }
}

/// <summary>The picture as the CLIP tower sees it.</summary>
internal sealed class ClipPreprocessKind : IGoldenKind
{
    const int Size = 224;

    // The normalisation of OpenAI's CLIP, which the cases use.
    static readonly float[] s_mean = [0.48145466f, 0.4578275f, 0.40821073f];
    static readonly float[] s_deviation = [0.26862954f, 0.26130258f, 0.27577711f];

    public string Kind => "clip_preprocess";

    public GoldenOutputs Run(GoldenCase golden)
    {
        var pixels = new float[Size * Size * 3];
        ClipPreprocess.Run(golden.Inputs["image"].Image(), Size, s_mean, s_deviation, pixels);
        return new GoldenOutputs { ["pixel_values"] = GoldenTensor.FromChannelsLast(pixels, 1, 3, Size, Size) };
    }
}

/// <summary>Likeness of two pictures.</summary>
internal sealed class MetricKind : IGoldenKind
{
    public string Kind => "metric";

    public GoldenOutputs Run(GoldenCase golden)
    {
        var inputs = golden.Inputs;
        var (a, b) = (inputs["a"].Image(), inputs["b"].Image());
        return new GoldenOutputs
        {
            ["psnr"] = GoldenTensor.Of(ImageMetrics.Psnr(a, b)),
            ["ssim_uniform7"] = GoldenTensor.Of(ImageMetrics.SsimUniform7(a, b)),
            ["ssim_gaussian"] = GoldenTensor.Of(ImageMetrics.SsimGaussian(a, b)),
        };
    }
}

/// <summary>Distance of two sets of features.</summary>
internal sealed class FrechetKind : IGoldenKind
{
    public string Kind => "frechet";

    public GoldenOutputs Run(GoldenCase golden)
    {
        var inputs = golden.Inputs;
        return new GoldenOutputs { ["distance"] = GoldenTensor.Of(FrechetDistance.Compute(inputs["a"].Doubles(), inputs["b"].Doubles(), inputs["a"].Shape[1])) };
    }
}
