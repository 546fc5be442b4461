namespace FramePainter;

/// <summary>Conversion of rows of pixels between formats.</summary>
static class PixelRows
{
    /// <summary>Converts one row. Both spans hold the same number of pixels and do not overlap.</summary>
    public static void Convert(ReadOnlySpan<byte> source, PixelFormat from, Span<byte> destination, PixelFormat to)
    {
        if (from == to)
        {
            source.CopyTo(destination);
            return;
        }

        var (size, red, green, blue, alpha) = Layout(from);
        var (toSize, toRed, toGreen, toBlue, toAlpha) = Layout(to);
        var gray = to == PixelFormat.Gray8;
        for (int i = 0, o = 0; i < source.Length; i += size, o += toSize)
        {
            var (r, g, b) = (source[i + red], source[i + green], source[i + blue]);
            if (gray)
            {
                destination[o] = Luma(r, g, b);
                continue;
            }

            destination[o + toRed] = r;
            destination[o + toGreen] = g;
            destination[o + toBlue] = b;
            if (toAlpha >= 0)
            {
                destination[o + toAlpha] = alpha >= 0 ? source[i + alpha] : byte.MaxValue;
            }
        }
    }

    /// <summary>ITU-R 601 luma (0.299, 0.587, 0.114) with 16 fractional bits, as Pillow rounds it.</summary>
    public static byte Luma(byte r, byte g, byte b) => (byte)(((r * 19595) + (g * 38470) + (b * 7471) + 0x8000) >> 16);

    /// <summary>Bytes a pixel, and where each channel stands in it; −1 where there is no alpha.</summary>
    static (int Size, int Red, int Green, int Blue, int Alpha) Layout(PixelFormat format) => format switch
    {
        PixelFormat.Rgb24 => (3, 0, 1, 2, -1),
        PixelFormat.Bgr24 => (3, 2, 1, 0, -1),
        PixelFormat.Rgba32 => (4, 0, 1, 2, 3),
        PixelFormat.Bgra32 => (4, 2, 1, 0, 3),
        _ => (1, 0, 0, 0, -1),
    };
}
