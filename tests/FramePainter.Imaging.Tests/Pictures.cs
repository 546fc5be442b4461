using System.Buffers.Binary;

namespace FramePainter.Imaging.Tests;

/// <summary>Pictures and picture files made for the tests.</summary>
static class Pictures
{
    public static PixelImage Noise(int width, int height, PixelFormat format, int seed = 1)
    {
        var channels = format switch { PixelFormat.Gray8 => 1, PixelFormat.Rgb24 => 3, _ => 4 };
        var pixels = new byte[width * height * channels];
        new Random(seed).NextBytes(pixels);
        return PixelImage.FromPixels(pixels, width, height, format);
    }

    /// <summary>Smooth in both directions, so that lossy codecs keep it closely.</summary>
    public static PixelImage Gradient(int width, int height)
    {
        var pixels = new byte[width * height * 3];
        for (var i = 0; i < width * height; i++)
        {
            pixels[3 * i] = (byte)(i % width * 255 / width);
            pixels[(3 * i) + 1] = (byte)(i / width * 255 / height);
            pixels[(3 * i) + 2] = 128;
        }

        return PixelImage.FromPixels(pixels, width, height, PixelFormat.Rgb24);
    }

    public static byte[] Encode(PixelImage image, ImageFormat format, int quality = 95)
    {
        using var stream = new MemoryStream();
        ImageFile.Save(image, stream, format, quality);
        return stream.ToArray();
    }

    /// <summary>A PNG whose header claims a size, with no pixels to speak of.</summary>
    public static byte[] PngHeader(int width, int height)
    {
        var header = new byte[13];
        BinaryPrimitives.WriteInt32BigEndian(header, width);
        BinaryPrimitives.WriteInt32BigEndian(header.AsSpan(4), height);
        header[8] = 8;
        header[9] = 2;
        return [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A, .. Chunk("IHDR"u8, header), .. Chunk("IDAT"u8, [0x78, 0x9C, 0x03, 0x00])];
    }

    /// <summary>The JPEG with an EXIF segment that holds nothing but an orientation.</summary>
    public static byte[] WithOrientation(byte[] jpeg, byte orientation)
    {
        byte[] exif = [.. "Exif\0\0"u8, .. Exif(orientation)];
        return [0xFF, 0xD8, 0xFF, 0xE1, 0, (byte)(exif.Length + 2), .. exif, .. jpeg.AsSpan(2)];
    }

    /// <summary>The PNG with such EXIF data behind its header.</summary>
    public static byte[] WithExif(byte[] png, ReadOnlySpan<byte> exif) => [.. png.AsSpan(0, 33), .. Chunk("eXIf"u8, exif), .. png.AsSpan(33)];

    /// <summary>EXIF data that hold nothing but an orientation, in either order of bytes.</summary>
    public static byte[] Exif(byte orientation, bool little = false) => little
        ? [.. "II*\0"u8, 8, 0, 0, 0, 1, 0, 0x12, 0x01, 3, 0, 1, 0, 0, 0, orientation, 0, 0, 0, 0, 0, 0, 0]
        :
        [
            .. "MM\0*"u8, 0, 0, 0, 8,
            0, 1, // one entry: tag 0x0112, a short, one of them
            0x01, 0x12, 0, 3, 0, 0, 0, 1, 0, orientation, 0, 0,
            0, 0, 0, 0,
        ];

    static byte[] Chunk(ReadOnlySpan<byte> type, ReadOnlySpan<byte> data)
    {
        var chunk = new byte[12 + data.Length];
        BinaryPrimitives.WriteInt32BigEndian(chunk, data.Length);
        type.CopyTo(chunk.AsSpan(4));
        data.CopyTo(chunk.AsSpan(8));
        BinaryPrimitives.WriteUInt32BigEndian(chunk.AsSpan(8 + data.Length), Crc(chunk.AsSpan(4, 4 + data.Length)));
        return chunk;
    }

    static uint Crc(ReadOnlySpan<byte> bytes)
    {
        var crc = uint.MaxValue;
        foreach (var value in bytes)
        {
            crc ^= value;
            for (var bit = 0; bit < 8; bit++)
                crc = (crc >> 1) ^ (0xEDB88320u & (0u - (crc & 1)));
        }

        return ~crc;
    }
}
