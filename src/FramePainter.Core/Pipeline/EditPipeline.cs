using System.Numerics;
using FramePainter.Backends;
using FramePainter.Graphs;
using FramePainter.Tensors;
using FramePainter.Weights;

namespace FramePainter.Pipeline;

/// <summary>
/// An edit from picture and signal to picture, in the order of the original: describe, draw noise, encode, draw latents, denoise, decode.
/// Holds no state of an edit: any number run at once, each with its own <see cref="PictureCache"/>.
/// </summary>
internal sealed class EditPipeline(Checkpoint checkpoint, IBackend backend, IWeightStore weights, AttentionKind attention) : IDisposable
{
    /// <summary>Strength of the noise added to the picture before it is encoded, and third of the added time ids.</summary>
    const float NoiseStrength = 0.02f;

    /// <summary>fps − 1 and motion bucket: the first two added time ids.</summary>
    const float FpsId = 6;
    const float MotionId = 128;

    /// <summary>Version of the library.</summary>
    internal static readonly string Version = typeof(EditPipeline).Assembly.GetName().Version!.ToString(3);

    readonly Networks _networks = new(checkpoint, attention);
    readonly ControlTables _tables = new(backend);
    readonly Lock _fitting = new();
    LatentPreview? _preview;

    /// <summary>Both sides of the working size are multiples of it.</summary>
    public int Grid => _networks.Grid;

    /// <summary>Which weights these are; null where nobody asked.</summary>
    public ModelIdentity? Identity { get; set; }

    /// <summary>Limits of what edits take.</summary>
    public EditLimits Limits { get; init; } = EditLimits.Default;

    /// <summary>Refuses edits that do not fit; null where memory has no budget.</summary>
    public MemoryBudget? Budget { get; set; }

    /// <summary>Threads of the processor that pictures are prepared by.</summary>
    public int Threads { get; init; } = 1;

    /// <summary>The plans.</summary>
    public Networks Networks => _networks;

    /// <summary>Packs every weight by compiling each network once at the smallest size: packed weights do not depend on the size.</summary>
    public void PackWeights(IProgress<double>? progress, CancellationToken cancel)
    {
        var plans = _networks.AllAtSmallest();
        for (var i = 0; i < plans.Count; i++)
        {
            cancel.ThrowIfCancellationRequested();
            backend.Compile(plans[i](), weights).Dispose();
            progress?.Report((i + 1.0) / plans.Count);
        }
    }

    /// <summary>SHA-256 of the files of weights by part and name, for the metadata of edits; empty where nobody asked for them.</summary>
    public IReadOnlyDictionary<string, string> ModelHashes(CancellationToken cancel) => Identity?.Wait(cancel) ?? new Dictionary<string, string>();

    /// <summary>Makes an edit. Arguments are checked by the caller.</summary>
    public EditResult Edit(PictureCache picture, Signal signal, EditOptions options, CancellationToken cancel)
    {
        var size = SizePlan.Create(picture.Image.Width, picture.Image.Height, options.Size, Grid, options.Fit, Threads);
        Limits.Check(size);
        PreparedSignal.Check(signal, size, options.PointCapacity);
        var scheduler = new EulerScheduler(new SchedulerSettings(checkpoint.Scheduler.SigmaMin, checkpoint.Scheduler.SigmaMax), options.Steps);
        var captured = options.Capture is { } capture ? _networks.BlockOf(capture, size) : null;
        var key = _networks.KeyOf(size, options, scheduler, signal.HasPoints, captured);
        Budget?.Admit(picture, size, options, signal.HasPoints);
        try
        {
            picture.KeepOnly(key);
            return Make(picture, size, signal, options, key, scheduler, captured, cancel);
        }
        catch
        {
            // The denoiser before this edit's is gone; where this edit's was not made, nothing is held.
            if (!picture.HoldsDenoiser)
            {
                Budget?.Release(picture);
            }

            throw;
        }
    }

    EditResult Make(
        PictureCache picture, SizePlan size, Signal signal, EditOptions options, DenoiseKey key, EulerScheduler scheduler, AttentionBlock? captured, CancellationToken cancel)
    {
        var decodeFlops = _networks.Decoder(size.Width, size.Height).Graph.Flops;
        var clock = new StageClock(options, decodeFlops);
        clock.Begin(EditStage.Prepare);
        var prepared = PreparedSignal.Of(signal, size, options.PointCapacity);
        var random = new TorchRandom(options.Seed);
        _tables.KeepOnly(key);

        var context = Describe(picture, clock, cancel);
        var imageLatents = Encode(picture, size, options.Seed, random, clock, cancel);

        var latents = new float[imageLatents.Length * Networks.Frames];
        var (latentHeight, latentWidth) = (size.Height / _networks.VaeFactor, size.Width / _networks.VaeFactor);
        PicturePreparation.DrawLatents(random, options.Draws, scheduler.InitNoiseSigma, Networks.Frames, latentWidth, latentHeight, latents);

        clock.Begin(EditStage.Control);
        var denoiser = picture.Denoiser(key, () => new Denoiser(_networks, _tables, backend, weights, key, scheduler));
        denoiser.Prepare(context, imageLatents, prepared, options, cancel);
        clock.Begin(EditStage.Denoise, denoiser.Flops);
        float[]? matches = null;
        var preview = options.Preview && options.Progress is not null ? PreviewOf(picture, imageLatents, size, latentWidth, cancel) : null;
        var before = preview is null ? null : (float[])latents.Clone();
        denoiser.Run(
            latents,
            step =>
            {
                if (step - 1 == options.Capture?.Step)
                {
                    matches = denoiser.ReadMatches();
                }

                clock.Report(step, preview is null ? null : Predicted(preview, denoiser, before!, scheduler, step, latentWidth, latentHeight));
            },
            cancel);
        picture.EndDenoising();

        clock.Begin(EditStage.Decode, decodeFlops);
        var frames = Decode(latents, size, cancel);
        return new EditResult(
            size.Restore(frames[1]), size.Restore(frames[0]), Channels.First(latents, Networks.Frames, latentHeight * latentWidth, Networks.LatentChannels),
            new Shape(1, Networks.Frames, Networks.LatentChannels, latentHeight, latentWidth), frames, clock.End())
        {
            Warnings = prepared.Warnings,
            Matches = matches is null ? null : MapOf(captured!, options.Capture!.Step, matches, size),
            Metadata = MetadataOf(picture.Image, size, signal, prepared, options, cancel),
        };
    }

    /// <summary>The map for the previews of an edit; its part that every picture shares is fitted when a preview is first asked for.</summary>
    LatentPreview PreviewOf(PictureCache picture, float[] imageLatents, SizePlan size, int latentWidth, CancellationToken cancel)
    {
        var scaled = new float[imageLatents.Length];
        System.Numerics.Tensors.TensorPrimitives.Multiply(imageLatents, (float)checkpoint.Vae.ScalingFactor, scaled);
        lock (_fitting)
        {
            _preview ??= LatentPreview.Fit(latents => Decode(latents, SizePlan.Create(Grid, Grid, null, Grid, Fit.Stretch), cancel), Grid / _networks.VaeFactor, _networks.VaeFactor);
            return _preview.For(scaled, size.PrepareSource(picture.Image).ToRgb(), latentWidth);
        }
    }

    /// <summary>The edited frame that the step just done predicted: an Euler step is a line from the latents before it to that prediction, walked in part.</summary>
    static PixelImage Predicted(LatentPreview preview, Denoiser denoiser, float[] before, EulerScheduler scheduler, int step, int width, int height)
    {
        var after = new float[before.Length];
        denoiser.ReadLatents(after);
        var (from, to) = (scheduler.Sigmas[step - 1], scheduler.Sigmas[step]);
        var way = from / (from - to);
        var frame = before.Length / Networks.Frames;
        var clean = new float[frame];
        for (var i = 0; i < frame; i++)
        {
            var at = before.Length - frame + i;
            clean[i] = before[at] + (way * (after[at] - before[at]));
        }

        after.CopyTo(before, 0);
        return preview.Draw(clean, width, height);
    }

    static MatchMap MapOf(AttentionBlock block, int step, float[] matches, SizePlan size)
    {
        var pixels = new Vector2((float)size.SourceWidth / size.ContentWidth, (float)size.SourceHeight / size.ContentHeight);
        return new MatchMap(
            block, step, size.Width / block.PixelsPerToken, size.Height / block.PixelsPerToken, matches, new Vector2(size.SourceWidth, size.SourceHeight), pixels * block.PixelsPerToken);
    }

    EditMetadata MetadataOf(PixelImage picture, SizePlan size, Signal signal, PreparedSignal prepared, EditOptions options, CancellationToken cancel) => new()
    {
        Version = Version,
        Options = options with { Size = (size.Width, size.Height), Progress = null, Preview = false, Capture = null },
        Attention = attention,
        Width = size.SourceWidth,
        Height = size.SourceHeight,
        Device = backend.Description,
        Signal = signal.Kind,
        Points = prepared.Drags,
        ModelHashes = ModelHashes(cancel),
        Record = SignalRecord.Of(signal),
        PictureHash = EditMetadata.HashOf(picture),
    };

    /// <summary>The CLIP row of the picture at its own size.</summary>
    float[] Describe(PictureCache picture, StageClock clock, CancellationToken cancel)
    {
        var plan = _networks.Clip();
        clock.Begin(EditStage.Describe, picture.Context is null ? plan.Graph.Flops : 0);
        if (picture.Context is { } known)
        {
            return known;
        }

        var size = checkpoint.Clip.ImageSize;
        var pixels = new float[size * size * 3];
        var normalise = checkpoint.FeatureExtractor;
        ClipPreprocess.Run(picture.Image, size, [.. normalise.Mean.Select(m => (float)m)], [.. normalise.Deviation.Select(d => (float)d)], pixels, Threads);
        return picture.Context = RunOnce(plan, Networks.Pixels, pixels, Networks.Context, cancel);
    }

    /// <summary>The picture's latents, with the noise that SVD was trained with.</summary>
    float[] Encode(PictureCache picture, SizePlan size, long seed, TorchRandom random, StageClock clock, CancellationToken cancel)
    {
        var plan = _networks.Encoder(size.Width, size.Height);
        var key = new LatentsKey(size.Width, size.Height, size.Fit, seed);
        var known = picture.Find(key);
        clock.Begin(EditStage.Encode, known is null ? plan.Graph.Flops : 0);
        var count = size.Width * size.Height * 3;
        if (known is not null)
        {
            // The latents to come are the second draw: the first is made and lost.
            random.Skip(count);
            return known;
        }

        var noise = new float[count];
        random.Randn(noise);
        var pixels = size.PrepareSource(picture.Image).ToRgb();
        var latents = new float[plan.Graph.Output(Networks.ImageLatents).Shape.Count];
        PlanRun.Once(
            backend, weights, plan, Networks.Pixels, source => source.WritePicture(pixels.Pixels, PixelValues.Signed, noise, NoiseStrength),
            Networks.ImageLatents, destination => destination.Read(latents), cancel);
        picture.Keep(key, latents);
        return latents;
    }

    /// <summary>Both frames as pictures of the working size.</summary>
    PixelImage[] Decode(float[] latents, SizePlan size, CancellationToken cancel)
    {
        var scaled = new float[latents.Length];
        System.Numerics.Tensors.TensorPrimitives.Divide(latents, (float)checkpoint.Vae.ScalingFactor, scaled);
        var frames = new PixelImage[Networks.Frames];
        PlanRun.Once(
            backend, weights, _networks.Decoder(size.Width, size.Height), Networks.Latents, source => source.Write(scaled), Networks.Pictures,
            destination =>
            {
                for (var f = 0; f < frames.Length; f++)
                {
                    frames[f] = PicturePreparation.ReadFrame(destination, f, size.Width, size.Height);
                }
            },
            cancel);
        return frames;
    }

    float[] RunOnce(Plan plan, string input, float[] values, string output, CancellationToken cancel) =>
        PlanRun.Once(backend, weights, plan, input, values, output, cancel);

    /// <inheritdoc/>
    public void Dispose()
    {
        Identity?.Dispose();
        _tables.Dispose();
    }

    /// <summary>The added time ids of every edit.</summary>
    internal static ReadOnlySpan<float> AddedIds => [FpsId, MotionId, NoiseStrength];

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
