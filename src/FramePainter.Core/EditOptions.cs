namespace FramePainter;

/// <summary>How an edit is made. The defaults are the original app's.</summary>
public sealed record EditOptions
{
    /// <summary>The defaults.</summary>
    public static EditOptions Default { get; } = new();

    /// <summary>Denoising steps, 1 to 1000. Default 25.</summary>
    public int Steps { get; init; } = 25;

    /// <summary>Seed of the noise, any 64-bit number; the same seed gives the same picture, and the original's noise. Default 3413.</summary>
    public long Seed { get; init; } = 3413;

    /// <summary>How strongly the signal pulls, 0 to 10. Default 0.8.</summary>
    public float ControlScale { get; init; } = 0.8f;

    /// <summary>Guidance scale g, 0 to 100. From 1 on both halves are computed, as the original does; below 1 only the conditional one. Default 3.</summary>
    public float Guidance { get; init; } = 3.0f;

    /// <summary>How the guidance weight falls over the steps. Default: with the inverse square.</summary>
    public GuidanceDecay Decay { get; init; } = GuidanceDecay.InverseSquare;

    /// <summary>
    /// Lossy: steps whose guidance weight is below this compute the conditional half alone, as if the weight were 1; they take about half the time, and
    /// the memory for both plans is kept. The weight falls from <see cref="Guidance"/> to 1, so that 1.5 skips the half of the last 12 of 25 steps. 0 to 100;
    /// default 0: never. What it costs is measured in docs/performance.md.
    /// </summary>
    public float SkipUnconditionalBelow { get; init; }

    /// <summary>
    /// Lossy: the U-Net's deep features (all between its first down block and its last up block) are computed anew every so many steps, and reused in
    /// the steps between, as in DeepCache (arXiv 2312.00858); a captured step computes them in any case, and so does the first without the unconditional half.
    /// 1 to 1000; default 1: in every step. What it costs is measured in docs/performance.md.
    /// </summary>
    public int RefreshDeepFeaturesEvery { get; init; } = 1;

    /// <summary>
    /// The size that the model works in, in pixels: multiples of <see cref="Painter.Grid"/>. Null: the picture's own size,
    /// rounded to the nearest multiple. Results come back in the picture's size either way.
    /// </summary>
    public (int Width, int Height)? Size { get; init; }

    /// <summary>How a picture of another aspect ratio is brought to the working size. Default: stretched, as the original does.</summary>
    public Fit Fit { get; init; } = Fit.Stretch;

    /// <summary>Precision in which the initial latents are drawn. Default float16: what the original app draws under autocast.</summary>
    public DrawPrecision Draws { get; init; } = DrawPrecision.Float16;

    /// <summary>
    /// Drag points that there is room for, 1 to <see cref="Signal.MaxPoints"/>, when the signal has any. Edits of one capacity share their plan, whatever
    /// the points; the rest of the room costs next to nothing. Default 32.
    /// </summary>
    public int PointCapacity { get; init; } = 32;

    /// <summary>An attention map to keep, <see cref="EditResult.Matches"/>. Default: none.</summary>
    public MatchCapture? Capture { get; init; }

    /// <summary>Told of the edit's progress, on the editing thread.</summary>
    public IProgress<EditProgress>? Progress { get; init; }

    /// <summary>
    /// Gives <see cref="EditProgress.Preview"/> with every step: the latents through a linear map to colours, fitted to the picture and, when first
    /// asked for, to the VAE (six pairs of the smallest size are decoded, once a painter). The result is the same either way. Default: not.
    /// </summary>
    public bool Preview { get; init; }

    /// <summary>Checks every value against its range.</summary>
    /// <exception cref="OptionException">A value is out of range.</exception>
    internal void Validate()
    {
        Require(Steps is >= 1 and <= 1000, nameof(Steps), Steps, "from 1 to 1000");
        Require(ControlScale is >= 0 and <= 10, nameof(ControlScale), ControlScale, "a number from 0 to 10");
        Require(Guidance is >= 0 and <= 100, nameof(Guidance), Guidance, "a number from 0 to 100");
        Require(SkipUnconditionalBelow is >= 0 and <= 100, nameof(SkipUnconditionalBelow), SkipUnconditionalBelow, "a number from 0 to 100");
        Require(RefreshDeepFeaturesEvery is >= 1 and <= 1000, nameof(RefreshDeepFeaturesEvery), RefreshDeepFeaturesEvery, "from 1 to 1000");
        Require(PointCapacity is >= 1 and <= Signal.MaxPoints, nameof(PointCapacity), PointCapacity, $"from 1 to {Signal.MaxPoints}");
        Require(Capture is null || (Capture.Step >= 0 && Capture.Step < Steps), nameof(Capture), Capture?.Step, $"a step from 0 to {Steps - 1}");
        Require(Enum.IsDefined(Decay), nameof(Decay), Decay, "one of the kinds that are named");
        Require(Enum.IsDefined(Fit), nameof(Fit), Fit, "one of the kinds that are named");
        Require(Enum.IsDefined(Draws), nameof(Draws), Draws, "one of the kinds that are named");
    }

    static void Require<T>(bool holds, string name, T value, string range)
    {
        if (!holds)
        {
            throw new OptionException(name, string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{name} is {value}; it must be {range}."));
        }
    }
}
