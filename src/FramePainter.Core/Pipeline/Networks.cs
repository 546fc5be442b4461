using FramePainter.Graphs;
using FramePainter.Model;
using FramePainter.Tensors;
using FramePainter.Weights;

namespace FramePainter.Pipeline;

/// <summary>What the denoising plans of an edit depend on.</summary>
/// <param name="Width">Working width in pixels.</param>
/// <param name="Height">Working height in pixels.</param>
/// <param name="Steps">Denoising steps.</param>
/// <param name="Halves">2 with guidance, 1 without.</param>
/// <param name="ControlRows">Rows of the table of control features: all steps, or 1 when that would take too much memory.</param>
/// <param name="Points">Rows of the table of drag points; 0 for an edit without points.</param>
/// <param name="CapturedBlock">Number of the spatial block whose attention to the source is kept, from 1; 0 for none.</param>
/// <param name="DropsHalf">Steps at the end compute the conditional half alone, by a plan of its own.</param>
/// <param name="Deep">Where the U-Net has its deep features from.</param>
internal readonly record struct DenoiseKey(int Width, int Height, int Steps, int Halves, int ControlRows, int Points = 0, int CapturedBlock = 0, bool DropsHalf = false, DeepFeatures Deep = DeepFeatures.Inside);

/// <summary>Where the U-Net has its deep features from, those that the last up block is given.</summary>
internal enum DeepFeatures
{
    /// <summary>It computes them, and nobody sees them.</summary>
    Inside,

    /// <summary>It computes them and gives them out.</summary>
    Out,

    /// <summary>They are given.</summary>
    In,
}

/// <summary>Plans of one graph cut in two.</summary>
/// <param name="Prologue">Run once an edit.</param>
/// <param name="Step">Run in every step.</param>
internal sealed record SplitPlan(Plan Prologue, Plan Step);

/// <summary>
/// The networks of a checkpoint as plans, built when asked for; those asked for last are kept. They hold no weights and none of an edit's memory.
/// Names of inputs and outputs are constants here.
/// </summary>
internal sealed class Networks(Checkpoint checkpoint, AttentionKind attention)
{
    /// <summary>Frames of an edit: the source and the edited picture.</summary>
    public const int Frames = 2;

    /// <summary>Channels of the latents.</summary>
    public const int LatentChannels = 4;

    public const string Pixels = "pixels";
    public const string Context = "context";
    public const string Latents = "latents";
    public const string NextLatents = "next_latents";
    public const string Pictures = "pictures";
    public const string ImageLatents = "image_latents";
    public const string Timesteps = "timesteps";
    public const string AddedIds = "added_ids";
    public const string FrameIndex = "frame_index";
    public const string Scalars = "scalars";
    public const string Step = "step";
    public const string ControlFrame = "control_frame";
    public const string ControlTable = "control_table";
    public const string ControlRow = "control_row";
    public const string ControlScales = "control_scales";
    public const string Control = "control";
    public const string Points = "points";
    public const string Matches = "matches";
    public const string Deep = "deep";

    /// <summary>Tokens of a captured map: 4096 of them with the 20 heads of SVD's widest blocks and 4 images take 5 GB, and 1.3 GB with the 5 heads of its finest.</summary>
    const int MaxCapturedTokens = 4096;

    /// <summary>An edit asks for about ten plans. Sizes and step counts are the caller's: without a bound a host that runs for long would keep a plan for each.</summary>
    const int KeptPlans = 64;

    readonly RecentPlans _plans = new(KeptPlans);

    /// <summary>Factor between pixels and latents.</summary>
    public int VaeFactor => checkpoint.Vae.Factor;

    /// <summary>What both sides of the working size are multiples of: the VAE's factor times the U-Net's, and the control encoder's 8.</summary>
    public int Grid
    {
        get
        {
            var grid = VaeFactor << (checkpoint.UNet.Levels - 1);
            return grid % 8 == 0 ? grid : grid * 8 / (int)System.Numerics.BigInteger.GreatestCommonDivisor(grid, 8);
        }
    }

    /// <summary>Floats of one frame's pooled control features.</summary>
    public long ControlFloats(int width, int height)
    {
        var (h, w) = Join(width, height);
        return (long)h * w * checkpoint.UNet.BlockOutChannels[0];
    }

    /// <summary>The CLIP tower: <see cref="Pixels"/> to <see cref="Context"/>.</summary>
    public Plan Clip() => Once("clip", default, () =>
    {
        var g = new GraphBuilder();
        var size = checkpoint.Clip.ImageSize;
        g.Output(ClipVision.Build(g, checkpoint.Clip, g.Input(Pixels, Rate.Edit, 1, size, size, 3)), Context);
        return Finish(g, "clip");
    });

    /// <summary>The VAE encoder: <see cref="Pixels"/> to <see cref="ImageLatents"/>.</summary>
    public Plan Encoder(int width, int height) => Once("encoder", new DenoiseKey(width, height, 0, 0, 0), () =>
    {
        var g = new GraphBuilder();
        g.Output(Vae.Encode(g, checkpoint.Vae, g.Input(Pixels, Rate.Edit, 1, height, width, 3)), ImageLatents);
        return Finish(g, "vae encoder");
    });

    /// <summary>The VAE decoder: <see cref="Latents"/> to <see cref="Pictures"/>.</summary>
    public Plan Decoder(int width, int height) => Once("decoder", new DenoiseKey(width, height, 0, 0, 0), () =>
    {
        var g = new GraphBuilder();
        var latents = g.Input(Latents, Rate.Edit, Frames, height / VaeFactor, width / VaeFactor, LatentChannels);
        g.Output(Vae.Decode(g, checkpoint.Vae, latents), Pictures);
        return Finish(g, "vae decoder");
    });

    /// <summary>The control encoder on one frame: its features at <see cref="Step"/>, normalised and pooled.</summary>
    public SplitPlan ControlEncoderOf(DenoiseKey key) => Once("control", key with { Halves = 0, ControlRows = 0, Points = 0, CapturedBlock = 0, DropsHalf = false, Deep = DeepFeatures.Inside }, () =>
    {
        var g = new GraphBuilder();
        var frame = g.Input(ControlFrame, Rate.Edit, 1, key.Height, key.Width, 3);
        var time = new TimeRows(
            ControlEncoder.TimeTable(g, checkpoint.Control, g.Input(Timesteps, Rate.Edit, key.Steps)),
            g.Input(Step, Rate.Step, 1));
        var (h, w) = Join(key.Width, key.Height);
        g.Output(g.ControlPool(ControlEncoder.Build(g, checkpoint.Control, frame, time), h, w), Control);
        return Split(g, "control encoder");
    });

    /// <summary>The U-Net with guidance and the Euler step: <see cref="Latents"/> to <see cref="NextLatents"/>.</summary>
    public SplitPlan Denoiser(DenoiseKey key) => Once("denoiser", key, () =>
    {
        var g = new GraphBuilder();
        SourceHeads? captured = null;
        var blocks = 0;
        var (config, h, w) = (checkpoint.UNet, key.Height / VaeFactor, key.Width / VaeFactor);
        var step = g.Input(Step, Rate.Step, 1);
        var scalars = g.SelectRow(g.Input(Scalars, Rate.Edit, key.Steps, EulerScheduler.TableColumns), step);
        var table = UNet.TimeTable(g, config, g.Input(Timesteps, Rate.Edit, key.Steps), g.Input(AddedIds, Rate.Edit, 1, 3));
        var inputs = new TransformerInputs(
            attention,
            g.Input(Context, Rate.Edit, key.Halves, config.CrossAttentionWidths[0]),
            g.Input(FrameIndex, Rate.Edit, Frames))
        {
            Points = key.Points > 0 ? g.Input(Points, Rate.Edit, key.Points, AddTokensOp.Columns) : null,
            Tap = heads => captured = ++blocks == key.CapturedBlock ? heads : captured,
        };
        var latents = g.Input(Latents, Rate.Step, Frames, h, w, LatentChannels);
        var imageLatents = g.Input(ImageLatents, Rate.Edit, 1, h, w, LatentChannels);

        var (joinHeight, joinWidth) = Join(key.Width, key.Height);
        var controlTable = g.Input(ControlTable, Rate.Edit, key.ControlRows, Frames * ControlFloats(key.Width, key.Height));
        var control = new ControlFeatures(
            g.SelectRow(controlTable, g.Input(ControlRow, Rate.Step, 1), new Shape(Frames, joinHeight, joinWidth, config.BlockOutChannels[0])),
            g.Input(ControlScales, Rate.Edit, Frames));

        var net = new UNet(config, inputs, new TimeRows(table, step));
        var x = net.ConvInSplit(g, g.Scale(latents, scalars, column: 3), imageLatents, key.Halves);
        Value? known = null;
        if (key.Deep == DeepFeatures.In)
        {
            var shape = Denoiser(key with { Deep = DeepFeatures.Out }).Step.Graph.Output(Deep).Shape;
            known = g.Input(Deep, Rate.Step, shape[0], shape[1], shape[2], shape[3]);
        }

        var (prediction, deep) = net.Body(g, x, control, known);
        g.Output(g.Euler(prediction, latents, scalars), NextLatents);
        if (key.Deep == DeepFeatures.Out)
        {
            g.Output(deep, Deep);
        }

        if (captured is { } seen)
        {
            g.Output(g.AttentionProbabilities(seen.Query, seen.Key, seen.Heads, seen.HeadDim), Matches);
        }

        return Split(g, "u-net");
    });

    /// <summary>The spatial blocks that look at the source, in their order; none with <see cref="AttentionKind.Temporal"/>.</summary>
    public IReadOnlyList<AttentionBlock> AttentionBlocks => Once("blocks", default, () =>
    {
        var g = new GraphBuilder();
        var blocks = new List<AttentionBlock>();
        var (config, side) = (checkpoint.UNet, Grid / VaeFactor);
        var inputs = new TransformerInputs(attention, g.Input(Context, Rate.Edit, 1, config.CrossAttentionWidths[0]), g.Input(FrameIndex, Rate.Edit, Frames))
        {
            // A block's tokens form a square here, because the picture does.
            Tap = heads => blocks.Add(new AttentionBlock(blocks.Count, heads.Block.Path, Grid / (int)Math.Sqrt(heads.Query.Value.Shape.Tokens))),
        };
        var time = new TimeRows(UNet.TimeTable(g, config, g.Input(Timesteps, Rate.Edit, 1), g.Input(AddedIds, Rate.Edit, 1, 3)), null);
        var net = new UNet(config, inputs, time);
        net.Body(g, net.ConvIn(g, g.Input(Latents, Rate.Edit, Frames, side, side, 2 * LatentChannels)), control: null);
        return blocks;
    });

    /// <summary>Every network at the smallest size, where each weight is read by one of them: packed weights do not depend on the size.</summary>
    public IReadOnlyList<Func<Plan>> AllAtSmallest()
    {
        var key = new DenoiseKey(Grid, Grid, 1, 2, 1);
        return
        [
            Clip, () => Encoder(Grid, Grid), () => Decoder(Grid, Grid), () => ControlEncoderOf(key).Prologue, () => ControlEncoderOf(key).Step,
            () => Denoiser(key).Prologue, () => Denoiser(key).Step,
        ];
    }

    /// <summary>What an edit's denoising plans depend on.</summary>
    /// <param name="size">The edit's sizes.</param>
    /// <param name="options">How it is made.</param>
    /// <param name="scheduler">Its noise schedule.</param>
    /// <param name="points">Whether its signal has drag points.</param>
    /// <param name="captured">The block whose attention is kept, or null.</param>
    public DenoiseKey KeyOf(SizePlan size, EditOptions options, EulerScheduler scheduler, bool points, AttentionBlock? captured)
    {
        var both = scheduler.StepsWithBothHalves(options);
        return new DenoiseKey(
            size.Width, size.Height, options.Steps, both > 0 ? 2 : 1, ControlTables.Rows(options.Steps, ControlFloats(size.Width, size.Height)),
            points ? options.PointCapacity : 0, captured is null ? 0 : captured.Index + 1,
            both > 0 && both < options.Steps, options.RefreshDeepFeaturesEvery > 1 ? DeepFeatures.Out : DeepFeatures.Inside);
    }

    /// <summary>The block that a capture asks for.</summary>
    /// <exception cref="OptionException">There is none such.</exception>
    /// <exception cref="PlanException">Its map would be too large.</exception>
    public AttentionBlock BlockOf(MatchCapture capture, SizePlan size)
    {
        var blocks = AttentionBlocks;
        var block = capture.PixelsPerToken is { } pixels ? blocks.LastOrDefault(b => b.PixelsPerToken == pixels) : blocks.ElementAtOrDefault(capture.Block ?? -1);
        if (block is null)
        {
            throw new OptionException(nameof(EditOptions.Capture), blocks.Count == 0
                ? $"With {attention} attention no block looks at the source; there is nothing to capture."
                : $"There is no {(capture.Block is { } index ? $"block {index}" : $"block of {capture.PixelsPerToken} pixels a token")}; blocks are numbered from 0 to {blocks.Count - 1}, their tokens are of {string.Join(", ", blocks.Select(b => b.PixelsPerToken).Distinct().Order())} pixels.");
        }

        var tokens = (long)(size.Width / block.PixelsPerToken) * (size.Height / block.PixelsPerToken);
        return tokens <= MaxCapturedTokens
            ? block
            : throw new PlanException($"Capturing '{block.Name}' at {size.Width}×{size.Height} takes {tokens} × {tokens} probabilities for each head and image; up to {MaxCapturedTokens} tokens are kept. Capture a coarser block, or edit at a smaller size.");
    }

    (int Height, int Width) Join(int width, int height) =>
        (UNet.JoinExtent(checkpoint.UNet, height / VaeFactor), UNet.JoinExtent(checkpoint.UNet, width / VaeFactor));

    static Plan Finish(GraphBuilder g, string name) => Planner.Plan(FuseEpilogues.Run(g.Build(name)));

    static SplitPlan Split(GraphBuilder g, string name)
    {
        var (prologue, step) = Hoist.Split(FuseEpilogues.Run(g.Build(name)));
        return new SplitPlan(Planner.Plan(prologue), Planner.Plan(step));
    }

    T Once<T>(string part, DenoiseKey key, Func<T> build)
        where T : class =>
        (T)_plans.Get((part, key), build);
}
