namespace FramePainter.Imaging;

/// <summary>Pictures beside each other, such as before, sketch and after.</summary>
public static class SideBySide
{
    // Small pictures are enlarged until their short side has this many pixels, unless the long one would pass its bound.
    const int ShortSide = 256;
    const int LongSide = 2048;
    const int Margin = 8;
    const byte Paper = 255;

    /// <summary>
    /// Lays pictures in a row on white with margins of 8 pixels, centred vertically. A picture whose short side is below 256 pixels is
    /// enlarged by a whole factor, each pixel a square. Transparent parts show black, which is what a sketch stands on.
    /// </summary>
    /// <param name="images">At least one picture, from left to right.</param>
    /// <returns>The strip, RGB.</returns>
    /// <exception cref="ArgumentException">There is no picture.</exception>
    /// <exception cref="ImageException">The strip would be larger than a <see cref="PixelImage"/> may be.</exception>
    public static PixelImage Compose(params ReadOnlySpan<PixelImage> images)
    {
        if (images.IsEmpty)
            throw new ArgumentException("A strip needs at least one picture.", nameof(images));

        var (width, height) = SizeOf(images);
        var strip = new byte[width * height * 3];
        strip.AsSpan().Fill(Paper);
        var left = Margin;
        foreach (var image in images)
        {
            var factor = Factor(image);
            Paste(image, factor, strip, width, left, (height - (image.Height * factor)) / 2);
            left += (image.Width * factor) + Margin;
        }

        return PixelImage.FromPixels(strip, width, height, PixelFormat.Rgb24);
    }

    /// <summary>The size of the strip that <see cref="Compose"/> makes of pictures as large as these.</summary>
    /// <exception cref="ImageException">The strip would be larger than a <see cref="PixelImage"/> may be.</exception>
    internal static (int Width, int Height) SizeOf(ReadOnlySpan<PixelImage> images)
    {
        long width = Margin;
        var height = 0;
        foreach (var image in images)
        {
            var factor = Factor(image);
            width += (image.Width * factor) + Margin;
            height = Math.Max(height, image.Height * factor);
        }

        height += 2 * Margin;
        return width <= PixelImage.MaxSide && height <= PixelImage.MaxSide && width * height <= PixelImage.MaxPixels
            ? ((int)width, height)
            : throw new ImageException($"A strip of {width}×{height} pixels is too large; compose fewer or smaller pictures.");
    }

    static int Factor(PixelImage image)
    {
        var wanted = (ShortSide + Math.Min(image.Width, image.Height) - 1) / Math.Min(image.Width, image.Height);
        return Math.Clamp(LongSide / Math.Max(image.Width, image.Height), 1, wanted);
    }

    static void Paste(PixelImage image, int factor, byte[] strip, int stripWidth, int left, int top)
    {
        var rgba = new byte[image.Width * image.Height * 4];
        image.CopyTo(rgba, PixelFormat.Rgba32);
        for (var y = 0; y < image.Height * factor; y++)
        {
            var row = strip.AsSpan((((top + y) * stripWidth) + left) * 3, image.Width * factor * 3);
            for (var x = 0; x < image.Width * factor; x++)
            {
                var pixel = rgba.AsSpan(((y / factor * image.Width) + (x / factor)) * 4, 4);
                for (var c = 0; c < 3; c++)
                    row[(x * 3) + c] = (byte)(((pixel[c] * pixel[3]) + 127) / 255);
            }
        }
    }
}
