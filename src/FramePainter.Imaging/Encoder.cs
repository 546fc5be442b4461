using System.Runtime.InteropServices;
using SkiaSharp;

namespace FramePainter.Imaging;

/// <summary>From a <see cref="PixelImage"/> to a file's bytes.</summary>
static unsafe class Encoder
{
    // The format's own limit: sides are stored in 14 bits.
    const int MaxWebPSide = 16383;

    /// <summary>Refuses a size that the format does not hold.</summary>
    /// <exception cref="ImageException">It does not.</exception>
    public static void Check(int width, int height, ImageFormat format)
    {
        if (format is ImageFormat.WebP or ImageFormat.WebPLossless && Math.Max(width, height) > MaxWebPSide)
            throw new ImageException($"A picture of {width}×{height} pixels does not fit WebP, whose sides end at {MaxWebPSide}; write PNG.");
    }

    /// <summary>Writes the picture to a stream.</summary>
    public static void Encode(PixelImage image, Stream stream, ImageFormat format, int quality)
    {
        Check(image.Width, image.Height, format);
        var gray = image.Format == PixelFormat.Gray8;
        var info = new SKImageInfo(
            image.Width,
            image.Height,
            gray ? SKColorType.Gray8 : SKColorType.Rgba8888,
            image.Format == PixelFormat.Rgba32 ? SKAlphaType.Unpremul : SKAlphaType.Opaque);
        var pixels = NativeMemory.Alloc((nuint)info.BytesSize64);
        try
        {
            image.CopyTo(new Span<byte>(pixels, info.BytesSize), gray ? PixelFormat.Gray8 : PixelFormat.Rgba32);
            using var pixmap = new SKPixmap(info, (nint)pixels);
            using var data = Encode(pixmap, format, quality)
                ?? throw new ImageException($"The codec refused to write a picture of {image} as {format}.");
            data.SaveTo(stream);
        }
        finally
        {
            NativeMemory.Free(pixels);
        }
    }

    static SKData? Encode(SKPixmap pixmap, ImageFormat format, int quality) => format switch
    {
        ImageFormat.Png => pixmap.Encode(SKPngEncoderOptions.Default),
        ImageFormat.Jpeg => pixmap.Encode(new SKJpegEncoderOptions(quality, SKJpegEncoderDownsample.Downsample444, SKJpegEncoderAlphaOption.Ignore)),
        ImageFormat.WebP => pixmap.Encode(new SKWebpEncoderOptions(SKWebpEncoderCompression.Lossy, quality)),
        // In lossless mode the quality is the effort: 75 is the encoder's usual one.
        ImageFormat.WebPLossless => pixmap.Encode(new SKWebpEncoderOptions(SKWebpEncoderCompression.Lossless, 75)),
        _ => throw new ImageException($"There is no picture format {(int)format}; use a named value of {nameof(ImageFormat)}."),
    };
}
