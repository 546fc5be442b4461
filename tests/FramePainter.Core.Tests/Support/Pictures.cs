namespace FramePainter.Core.Tests.Support;

/// <summary>Pictures made up for tests.</summary>
static class Pictures
{
    public static PixelImage Random(int width, int height, PixelFormat format, int seed = 1)
    {
        var pixels = new byte[width * height * Channels(format)];
        new Random(seed).NextBytes(pixels);
        return PixelImage.FromPixels(pixels, width, height, format);
    }

    public static PixelImage Constant(int width, int height, PixelFormat format, params byte[] color)
    {
        var pixels = new byte[width * height * Channels(format)];
        for (var i = 0; i < pixels.Length; i++)
        {
            pixels[i] = color[i % color.Length];
        }

        return PixelImage.FromPixels(pixels, width, height, format);
    }

    public static int Channels(PixelFormat format) => format switch
    {
        PixelFormat.Gray8 => 1,
        PixelFormat.Rgb24 or PixelFormat.Bgr24 => 3,
        _ => 4,
    };
}
