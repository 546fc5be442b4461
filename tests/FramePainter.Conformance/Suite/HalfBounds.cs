namespace FramePainter.Conformance;

/// <summary>How far whole networks in float16 may be from the original's results (docs/numerics.md, "A whole network in halves").</summary>
internal static class HalfBounds
{
    /// <summary>Relative L2 of one call of the U-Net; latents of an edit may have twice that.</summary>
    public const double Network = 4e-3;

    /// <summary>Peak signal to noise ratio of a whole edit's frames against the float32 ones, in decibels.</summary>
    public const double Edit = 40;
}
