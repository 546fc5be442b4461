namespace FramePainter.Imaging;

/// <summary>File formats that <see cref="ImageFile"/> writes.</summary>
public enum ImageFormat
{
    /// <summary>PNG: lossless for grey, RGB and RGBA with unpremultiplied alpha.</summary>
    Png,

    /// <summary>JPEG without chroma subsampling; alpha is dropped.</summary>
    Jpeg,

    /// <summary>Lossy WebP; sides of up to 16383 pixels.</summary>
    WebP,

    /// <summary>Lossless WebP; sides of up to 16383 pixels. The colour of fully transparent pixels is not kept.</summary>
    WebPLossless,
}
