namespace FramePainter;

/// <summary>How the bytes of an 8-bit picture follow each other. Alpha is straight, not premultiplied.</summary>
public enum PixelFormat
{
    /// <summary>Three bytes a pixel: red, green, blue.</summary>
    Rgb24,

    /// <summary>Four bytes a pixel: red, green, blue, alpha.</summary>
    Rgba32,

    /// <summary>Three bytes a pixel: blue, green, red.</summary>
    Bgr24,

    /// <summary>Four bytes a pixel: blue, green, red, alpha.</summary>
    Bgra32,

    /// <summary>One byte a pixel: luma.</summary>
    Gray8,
}
