namespace FramePainter.Evaluation.Tests;

static class Pictures
{
    /// <summary>A smooth picture with some noise, the same for a seed.</summary>
    public static PixelImage Of(int width, int height, int seed)
    {
        var random = new Random(seed);
        var (fx, fy) = (random.NextDouble() * 0.3, random.NextDouble() * 0.3);
        var pixels = new byte[width * height * 3];
        for (var i = 0; i < pixels.Length; i++)
        {
            var (x, y, c) = (i / 3 % width, i / 3 / width, i % 3);
            pixels[i] = (byte)Math.Clamp(128 + (90 * Math.Sin((x * fx) + (y * fy) + c)) + random.Next(-30, 31), 0, 255);
        }

        return PixelImage.FromPixels(pixels, width, height, PixelFormat.Rgb24);
    }
}
