using FramePainter.Backends;
using FramePainter.Pipeline;
using FramePainter.Tensors;
using FramePainter.Weights;

namespace FramePainter.Goldens;

/// <summary>The whole edit.</summary>
internal static class PipelineKind
{
    public static Dictionary<string, GoldenTensor> Run(GoldenCase golden, IBackend backend)
    {
        var args = golden.Args;
        var (width, height) = (args.GetProperty("width").GetInt32(), args.GetProperty("height").GetInt32());
        var options = new EditOptions
        {
            Steps = args.GetProperty("steps").GetInt32(),
            Seed = args.GetProperty("seed").GetInt64(),
            ControlScale = args.GetProperty("control_scale").GetSingle(),
            Guidance = args.GetProperty("guidance").GetSingle(),
            Size = (width, height),
            Decay = args.GetProperty("decay").GetString() switch
            {
                "inv_square" => GuidanceDecay.InverseSquare,
                "none" => GuidanceDecay.None,
                var other => throw new NotSupportedException($"There is no decay '{other}'."),
            },
            Draws = args.GetProperty("draws").GetString() switch
            {
                "float32" => DrawPrecision.Float32,
                "float16" => DrawPrecision.Float16,
                var other => throw new NotSupportedException($"There are no draws of '{other}'."),
            },
        };
        using var checkpoint = Checkpoint.Open(golden.ModelFolder);
        using var weights = backend.CreateStore(checkpoint);
        using var pipeline = new EditPipeline(checkpoint, backend, weights, AttentionKind.Matching);
        var result = pipeline.Edit(HostKinds.Picture(golden.Inputs["source"]), Signal.Sketch(HostKinds.Picture(golden.Inputs["sketch"])), options, default);

        // The same two draws again, as they come out of the generator.
        var random = new TorchRandom(options.Seed);
        var image = new float[3 * height * width];
        random.Randn(image);
        var latents = new float[result.LatentsShape.Count];
        if (options.Draws == DrawPrecision.Float32)
        {
            random.Randn(latents);
        }
        else
        {
            var halves = new Half[latents.Length];
            random.Randn(halves);
            latents = [.. halves.Select(h => (float)h)];
        }

        return new(StringComparer.Ordinal)
        {
            ["image_noise"] = GoldenTensor.Of(new Shape(1, 3, height, width), image),
            ["latent_noise"] = GoldenTensor.Of(result.LatentsShape, latents),
            ["latents"] = GoldenTensor.Of(result.LatentsShape, [.. result.Latents]),
            ["frames"] = new([result.Frames.Count, height, width, 3], [.. result.Frames.SelectMany(f => HostKinds.Doubles(f.Pixels))]),
        };
    }
}
