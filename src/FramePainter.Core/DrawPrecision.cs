namespace FramePainter;

/// <summary>The precision in which the initial latents are drawn. The same seed gives different noise in each.</summary>
public enum DrawPrecision
{
    /// <summary>IEEE half: what the original app draws under autocast.</summary>
    Float16,

    /// <summary>IEEE single: what a float32 pipeline draws.</summary>
    Float32,
}
