namespace FramePainter.Extensions.AI;

/// <summary>
/// What FramePainter edits by, beyond what every image generator is asked: returned by the factory of
/// <see cref="Microsoft.Extensions.AI.ImageGenerationOptions.RawRepresentationFactory"/>.
/// </summary>
/// <param name="Signal">What is to change.</param>
public sealed record EditRequest(Signal Signal)
{
    /// <summary>How the edit is made. Default: the original's defaults.</summary>
    public EditOptions Options { get; init; } = EditOptions.Default;
}
