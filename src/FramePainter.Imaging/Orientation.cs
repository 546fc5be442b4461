using System.Buffers.Binary;
using SkiaSharp;

namespace FramePainter.Imaging;

/// <summary>Applies the orientation that a camera noted in EXIF.</summary>
static class Orientation
{
    const int Tag = 0x0112;
    const int Short = 3;
    const int Entry = 12;

    /// <summary>The orientation in EXIF data by themselves, as a PNG has them; upright where there is none, or none that can be read.</summary>
    public static SKEncodedOrigin Of(ReadOnlySpan<byte> exif)
    {
        var little = exif.StartsWith("II*\0"u8);
        if (exif.Length < 8 || (!little && !exif.StartsWith("MM\0*"u8)))
            return SKEncodedOrigin.TopLeft;

        var first = little ? BinaryPrimitives.ReadUInt32LittleEndian(exif[4..]) : BinaryPrimitives.ReadUInt32BigEndian(exif[4..]);
        if (first > exif.Length - 2)
            return SKEncodedOrigin.TopLeft;

        var entries = exif[((int)first + 2)..];
        for (var left = Number(exif[(int)first..]); left > 0 && entries.Length >= Entry; left--, entries = entries[Entry..])
        {
            if (Number(entries) == Tag && Number(entries[2..]) == Short)
                return Number(entries[8..]) is var origin and >= (int)SKEncodedOrigin.TopLeft and <= (int)SKEncodedOrigin.LeftBottom ? (SKEncodedOrigin)origin : SKEncodedOrigin.TopLeft;
        }

        return SKEncodedOrigin.TopLeft;

        int Number(ReadOnlySpan<byte> at) => little ? BinaryPrimitives.ReadUInt16LittleEndian(at) : BinaryPrimitives.ReadUInt16BigEndian(at);
    }

    /// <summary>The picture as it is meant to be seen.</summary>
    /// <param name="pixels">Rows without gaps, [height, width, channels].</param>
    /// <param name="width">Width as stored.</param>
    /// <param name="height">Height as stored.</param>
    /// <param name="format">Grey, RGB or RGBA.</param>
    /// <param name="origin">Where the stored picture's first row and column belong.</param>
    public static PixelImage Upright(ReadOnlySpan<byte> pixels, int width, int height, PixelFormat format, SKEncodedOrigin origin)
    {
        if (origin == SKEncodedOrigin.TopLeft)
            return PixelImage.FromPixels(pixels, width, height, format);

        // Upright pixel (x, y) is stored pixel first + x·right + y·down.
        var last = (width * height) - 1;
        var lastColumn = width - 1;
        var lastRow = last - lastColumn;
        var (first, right, down) = origin switch
        {
            SKEncodedOrigin.TopRight => (lastColumn, -1, width),
            SKEncodedOrigin.BottomRight => (last, -1, -width),
            SKEncodedOrigin.BottomLeft => (lastRow, 1, -width),
            SKEncodedOrigin.LeftTop => (0, width, 1),
            SKEncodedOrigin.RightTop => (lastRow, -width, 1),
            SKEncodedOrigin.RightBottom => (last, -width, -1),
            SKEncodedOrigin.LeftBottom => (lastColumn, width, -1),
            _ => throw new ImageException($"The picture's orientation {(int)origin} is none of EXIF's eight."),
        };
        var turned = origin >= SKEncodedOrigin.LeftTop;
        var (uprightWidth, uprightHeight) = turned ? (height, width) : (width, height);
        var channels = pixels.Length / (width * height);
        var upright = new byte[pixels.Length];
        var write = 0;
        for (var y = 0; y < uprightHeight; y++)
        {
            var read = first + (y * down);
            for (var x = 0; x < uprightWidth; x++, read += right)
            {
                pixels.Slice(read * channels, channels).CopyTo(upright.AsSpan(write));
                write += channels;
            }
        }

        return PixelImage.FromPixels(upright, uprightWidth, uprightHeight, format);
    }
}
