namespace FramePainter;

/// <summary>The stages of an edit, in their order.</summary>
public enum EditStage
{
    /// <summary>Resizing pictures, drawing noise, planning.</summary>
    Prepare,

    /// <summary>The CLIP tower reads the picture.</summary>
    Describe,

    /// <summary>The VAE encodes the picture.</summary>
    Encode,

    /// <summary>What is constant over the steps, and the control features.</summary>
    Control,

    /// <summary>Denoising, step by step.</summary>
    Denoise,

    /// <summary>The VAE decodes both frames.</summary>
    Decode,
}

/// <summary>How far an edit is.</summary>
/// <param name="Stage">The stage that has begun, or whose step has ended.</param>
/// <param name="Step">Denoising steps done.</param>
/// <param name="Steps">Denoising steps in all.</param>
/// <param name="Elapsed">Time since the edit began.</param>
public readonly record struct EditProgress(EditStage Stage, int Step, int Steps, TimeSpan Elapsed)
{
    /// <summary>Time left, estimated from the steps done (the decoder's by its operations); null before the first step.</summary>
    public TimeSpan? Left { get; init; }

    /// <summary>
    /// What the step just done makes of the edit, one pixel for each pixel of the latents (8×8 of the working picture for SVD), RGB; null unless
    /// <see cref="EditOptions.Preview"/> asked for it.
    /// </summary>
    public PixelImage? Preview { get; init; }
}

/// <summary>Time that a stage took.</summary>
/// <param name="Stage">The stage.</param>
/// <param name="Duration">Its time.</param>
/// <param name="Flops">Floating-point operations of its matrix products and convolutions (2 for a multiply-add); 0 for <see cref="EditStage.Prepare"/> and <see cref="EditStage.Control"/>, where none are counted.</param>
public readonly record struct StageTiming(EditStage Stage, TimeSpan Duration, double Flops = 0);
