using FramePainter.Tensors;

namespace FramePainter;

/// <summary>What an edit gives back.</summary>
public sealed class EditResult
{
    internal EditResult(PixelImage edited, PixelImage source, float[] latents, Shape latentsShape, IReadOnlyList<PixelImage> frames, IReadOnlyList<StageTiming> timings)
    {
        Edited = edited;
        Source = source;
        Latents = latents;
        LatentsShape = latentsShape;
        Frames = frames;
        Timings = timings;
    }

    /// <summary>The edited picture (frame 1), in the size of the caller's picture, RGB.</summary>
    public PixelImage Edited { get; }

    /// <summary>The source as the model reconstructs it (frame 0), in the same size: how much of the edit is the autoencoder's.</summary>
    public PixelImage Source { get; }

    /// <summary>The final latents, scaled as the U-Net has them, <c>[1, frames, 4, h, w]</c> in PyTorch's order.</summary>
    public IReadOnlyList<float> Latents { get; }

    /// <summary>Extents of <see cref="Latents"/>.</summary>
    public Shape LatentsShape { get; }

    /// <summary>Both frames in the working size, before they are brought to the caller's size: source, edit.</summary>
    public IReadOnlyList<PixelImage> Frames { get; }

    /// <summary>Time of each stage.</summary>
    public IReadOnlyList<StageTiming> Timings { get; }

    /// <summary>What its user should know about the result; empty for most.</summary>
    public IReadOnlyList<EditWarning> Warnings { get; internal init; } = [];

    /// <summary>Where the edited picture looked in the source; null unless <see cref="EditOptions.Capture"/> asked for it.</summary>
    public MatchMap? Matches { get; internal init; }

    /// <summary>What it was made with.</summary>
    public required EditMetadata Metadata { get; init; }

    /// <summary>The result with other warnings.</summary>
    internal EditResult With(IReadOnlyList<EditWarning> warnings) =>
        new(Edited, Source, (float[])Latents, LatentsShape, Frames, Timings) { Warnings = warnings, Matches = Matches, Metadata = Metadata };
}
