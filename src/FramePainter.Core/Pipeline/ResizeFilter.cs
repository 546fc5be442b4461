namespace FramePainter.Pipeline;

/// <summary>Kernels of <see cref="PillowResize"/>.</summary>
public enum ResizeFilter
{
    /// <summary>The windowed sinc with three lobes.</summary>
    Lanczos,

    /// <summary>Keys' cubic with a = −0.5, two pixels to each side.</summary>
    Bicubic,
}
