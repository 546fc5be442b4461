using System.Diagnostics;
using FramePainter.Backends;
using FramePainter.Graphs;
using FramePainter.Tensors;
using FramePainter.Weights;

namespace FramePainter.Pipeline;

/// <summary>
/// An edit from picture and signal to picture, in the order of the original: describe, draw noise, encode, draw latents, denoise, decode.
/// Holds no state of an edit: any number run at once, each with its own executables and buffers.
/// </summary>
internal sealed class EditPipeline(Checkpoint checkpoint, IBackend backend, IWeightStore weights, AttentionKind attention) : IDisposable
{
    /// <summary>Strength of the noise added to the picture before it is encoded, and third of the added time ids.</summary>
    const float NoiseStrength = 0.02f;

    /// <summary>fps − 1 and motion bucket: the first two added time ids.</summary>
    const float FpsId = 6;
    const float MotionId = 128;

    readonly Networks _networks = new(checkpoint, attention);
    readonly ControlTables _tables = new(backend);

    /// <summary>Both sides of the working size are multiples of it.</summary>
    public int Grid => _networks.Grid;

    /// <summary>The plans.</summary>
    public Networks Networks => _networks;

    /// <summary>Packs every weight by compiling each network once at the smallest size: packed weights do not depend on the size.</summary>
    public void PackWeights(IProgress<double>? progress, CancellationToken cancel)
    {
        var key = new DenoiseKey(Grid, Grid, 1, 2, 1);
        Func<Plan>[] plans =
        [
            _networks.Clip, () => _networks.Encoder(Grid, Grid), () => _networks.Decoder(Grid, Grid),
            () => _networks.ControlEncoderOf(key).Prologue, () => _networks.ControlEncoderOf(key).Step,
            () => _networks.Denoiser(key).Prologue, () => _networks.Denoiser(key).Step,
        ];
        for (var i = 0; i < plans.Length; i++)
        {
            cancel.ThrowIfCancellationRequested();
            backend.Compile(plans[i](), weights).Dispose();
            progress?.Report((i + 1.0) / plans.Length);
        }
    }

    /// <summary>Makes an edit. Arguments are checked by the caller.</summary>
    public EditResult Edit(PixelImage image, Signal signal, EditOptions options, CancellationToken cancel)
    {
        var clock = new StageClock(options);
        clock.Begin(EditStage.Prepare);
        var size = SizePlan.Create(image.Width, image.Height, options.Size, Grid, options.Fit);
        var source = size.PrepareSource(image);
        var control = signal switch
        {
            SketchSignal sketch => size.PrepareSketch(sketch.Strokes),
            CoarseSignal coarse => size.PrepareCoarse(coarse.Picture),
            _ => throw new SignalException($"This painter has no use for a {signal.GetType().Name}; give a sketch or a coarse edit."),
        };
        var scheduler = new EulerScheduler(new SchedulerSettings(checkpoint.Scheduler.SigmaMin, checkpoint.Scheduler.SigmaMax), options.Steps);
        var random = new TorchRandom(options.Seed);

        clock.Begin(EditStage.Describe, _networks.Clip().Graph.Flops);
        var context = Describe(image, cancel);

        clock.Begin(EditStage.Encode, _networks.Encoder(size.Width, size.Height).Graph.Flops);
        var imageLatents = Encode(source, random, cancel);

        var latents = new float[imageLatents.Length * Networks.Frames];
        var (latentHeight, latentWidth) = (size.Height / _networks.VaeFactor, size.Width / _networks.VaeFactor);
        PicturePreparation.DrawLatents(random, options.Draws, scheduler.InitNoiseSigma, Networks.Frames, latentWidth, latentHeight, latents);

        var halves = options.Guidance >= 1 ? 2 : 1;
        using (var denoiser = new Denoiser(_networks, _tables, backend, weights, size.Width, size.Height, halves, scheduler))
        {
            clock.Begin(EditStage.Control);
            denoiser.Prepare(context, imageLatents, control, options, cancel);
            clock.Begin(EditStage.Denoise, denoiser.StepFlops * options.Steps);
            denoiser.Run(latents, step => clock.Report(step), cancel);
        }

        clock.Begin(EditStage.Decode, _networks.Decoder(size.Width, size.Height).Graph.Flops);
        var frames = Decode(latents, size, cancel);
        var result = new EditResult(
            size.Restore(frames[1]), size.Restore(frames[0]), Channels.First(latents, Networks.Frames, latentHeight * latentWidth, Networks.LatentChannels),
            new Shape(1, Networks.Frames, Networks.LatentChannels, latentHeight, latentWidth), frames, clock.End());
        return result;
    }

    /// <summary>The CLIP row of the picture at its own size.</summary>
    float[] Describe(PixelImage image, CancellationToken cancel)
    {
        var size = checkpoint.Clip.ImageSize;
        var pixels = new float[size * size * 3];
        var normalise = checkpoint.FeatureExtractor;
        ClipPreprocess.Run(image, size, [.. normalise.Mean.Select(m => (float)m)], [.. normalise.Deviation.Select(d => (float)d)], pixels);
        return RunOnce(_networks.Clip(), Networks.Pixels, pixels, Networks.Context, cancel);
    }

    /// <summary>The picture's latents, with the noise that SVD was trained with.</summary>
    float[] Encode(PixelImage source, TorchRandom random, CancellationToken cancel)
    {
        var pixels = new float[source.Width * source.Height * 3];
        PicturePreparation.ToSigned(source, pixels);
        PicturePreparation.AddNoise(random, NoiseStrength, source.Width, source.Height, pixels);
        return RunOnce(_networks.Encoder(source.Width, source.Height), Networks.Pixels, pixels, Networks.ImageLatents, cancel);
    }

    /// <summary>Both frames as pictures of the working size.</summary>
    PixelImage[] Decode(float[] latents, SizePlan size, CancellationToken cancel)
    {
        var scaled = new float[latents.Length];
        System.Numerics.Tensors.TensorPrimitives.Divide(latents, (float)checkpoint.Vae.ScalingFactor, scaled);
        var pictures = RunOnce(_networks.Decoder(size.Width, size.Height), Networks.Latents, scaled, Networks.Pictures, cancel);
        var frame = pictures.Length / Networks.Frames;
        return [.. Enumerable.Range(0, Networks.Frames).Select(f => PicturePreparation.ToPicture(pictures.AsSpan(f * frame, frame), size.Width, size.Height))];
    }

    float[] RunOnce(Plan plan, string input, float[] values, string output, CancellationToken cancel)
    {
        using var executable = backend.Compile(plan, weights);
        var (from, to) = (plan.Graph.Input(input), plan.Graph.Output(output));
        using var source = backend.Allocate(from.Bytes);
        using var destination = backend.Allocate(to.Bytes);
        source.Write(values);
        executable.Bind(from, source);
        executable.Bind(to, destination);
        executable.Run(cancel);
        var result = new float[to.Shape.Count];
        destination.Read(result);
        return result;
    }

    /// <inheritdoc/>
    public void Dispose() => _tables.Dispose();

    /// <summary>The added time ids of every edit.</summary>
    internal static ReadOnlySpan<float> AddedIds => [FpsId, MotionId, NoiseStrength];

    /// <summary>Tells progress and keeps the time of each stage.</summary>
    sealed class StageClock(EditOptions options)
    {
        readonly long _start = Stopwatch.GetTimestamp();
        readonly List<StageTiming> _timings = [];
        EditStage _stage;
        long _begun;
        double _flops;

        public void Begin(EditStage stage, double flops = 0)
        {
            Finish();
            (_stage, _flops, _begun) = (stage, flops, Stopwatch.GetTimestamp());
            Report(stage > EditStage.Denoise ? options.Steps : 0);
        }

        public void Report(int step) => options.Progress?.Report(new EditProgress(_stage, step, options.Steps, Stopwatch.GetElapsedTime(_start)));

        public IReadOnlyList<StageTiming> End()
        {
            Finish();
            return _timings;
        }

        void Finish()
        {
            if (_begun != 0)
            {
                _timings.Add(new StageTiming(_stage, Stopwatch.GetElapsedTime(_begun), _flops));
            }
        }
    }

    static class Channels
    {
        /// <summary>Moves channels before positions, image by image: PyTorch's order.</summary>
        public static float[] First(ReadOnlySpan<float> values, int images, int positions, int channels)
        {
            var moved = new float[values.Length];
            for (var i = 0; i < images; i++)
            {
                for (var p = 0; p < positions; p++)
                {
                    for (var c = 0; c < channels; c++)
                    {
                        moved[(((i * channels) + c) * positions) + p] = values[(((i * positions) + p) * channels) + c];
                    }
                }
            }

            return moved;
        }
    }
}
