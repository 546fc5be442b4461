namespace FramePainter.Imaging;

/// <summary>Sketches as files bring them.</summary>
static class Strokes
{
    /// <summary>Strokes on nothing become strokes on black: a signal's alpha would be dropped.</summary>
    public static PixelImage OnBlack(PixelImage sketch)
    {
        if (sketch.Format != PixelFormat.Rgba32)
            return sketch;

        var gray = new byte[sketch.Width * sketch.Height];
        sketch.CopyTo(gray, PixelFormat.Gray8);
        for (var i = 0; i < gray.Length; i++)
            gray[i] = (byte)(((gray[i] * sketch.Pixels[(i * 4) + 3]) + 127) / 255);

        return PixelImage.FromPixels(gray, sketch.Width, sketch.Height, PixelFormat.Gray8);
    }
}
