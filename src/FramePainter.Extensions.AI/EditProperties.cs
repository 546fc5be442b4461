namespace FramePainter.Extensions.AI;

/// <summary>
/// Keys of <see cref="Microsoft.Extensions.AI.ImageGenerationOptions.AdditionalProperties"/>, for callers that hand no <see cref="EditRequest"/> over.
/// One of <see cref="Signal"/>, <see cref="Sketch"/> and <see cref="Coarse"/> must be there; any other key that begins with <see cref="Prefix"/> is refused.
/// </summary>
public static class EditProperties
{
    /// <summary>What all keys begin with.</summary>
    public const string Prefix = "framepainter.";

    /// <summary>A <see cref="FramePainter.Signal"/>.</summary>
    public const string Signal = Prefix + "signal";

    /// <summary>A sketch, white on black: a <see cref="PixelImage"/>, a <see cref="Microsoft.Extensions.AI.DataContent"/>, or the bytes of a picture file.</summary>
    public const string Sketch = Prefix + "sketch";

    /// <summary>A coarse edit: a picture as for <see cref="Sketch"/>.</summary>
    public const string Coarse = Prefix + "coarse";

    /// <summary><see cref="EditOptions.Steps"/>, a whole number.</summary>
    public const string Steps = Prefix + "steps";

    /// <summary><see cref="EditOptions.Seed"/>, a whole number.</summary>
    public const string Seed = Prefix + "seed";

    /// <summary><see cref="EditOptions.ControlScale"/>, a number.</summary>
    public const string ControlScale = Prefix + "control_scale";

    /// <summary><see cref="EditOptions.Guidance"/>, a number.</summary>
    public const string Guidance = Prefix + "guidance";

    internal static IReadOnlyList<string> All { get; } = [Signal, Sketch, Coarse, Steps, Seed, ControlScale, Guidance];
}
