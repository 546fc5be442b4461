using FramePainter.Tensors;

namespace FramePainter.Cli.Engine;

/// <summary>The painter as the commands see it: one loaded model that edits pictures.</summary>
interface IEngine : IDisposable
{
    /// <summary>Edits a picture.</summary>
    EngineResult Edit(EngineJob job, IProgress<EngineProgress>? progress, CancellationToken cancel);
}

/// <summary>What to load.</summary>
/// <param name="Model">Folder in the base model's layout.</param>
/// <param name="Checkpoint">Folder with FramePainter's two files.</param>
/// <param name="Attention">How the edited frame looks at the source frame.</param>
/// <param name="Threads">Worker threads; null means all cores.</param>
sealed record EngineSettings(string Model, string Checkpoint, AttentionKind Attention, int? Threads);

/// <summary>One edit's inputs, named as in <c>EditOptions</c>.</summary>
sealed record EngineJob(PixelImage Image, PixelImage Signal, bool Coarse)
{
    public int Steps { get; init; } = 25;

    public long Seed { get; init; } = 3413;

    public float ControlScale { get; init; } = 0.8f;

    public float Guidance { get; init; } = 3.0f;

    public GuidanceDecay Decay { get; init; } = GuidanceDecay.InverseSquare;

    public int? Width { get; init; }

    public int? Height { get; init; }

    public Fit Fit { get; init; }

    public DrawPrecision Draws { get; init; }
}

/// <summary>Where an edit stands: its stage, and within the steps the last one done of how many (0 outside of them).</summary>
readonly record struct EngineProgress(string Stage, int Step, int Steps);

/// <summary>One stage's time and, where known, its floating-point operations.</summary>
readonly record struct EngineStage(string Name, int Calls, TimeSpan Elapsed, double Flops);

/// <summary>What an edit gives.</summary>
sealed record EngineResult(PixelImage Edited, PixelImage Source, float[] Latents, Shape LatentsShape, IReadOnlyList<EngineStage> Stages);
