using System.Buffers.Binary;
using System.IO.Compression;
using System.Text;

namespace FramePainter.Imaging.Tests;

public sealed class PngTextTests
{
    static readonly PixelImage s_image = Pictures.Noise(9, 7, PixelFormat.Rgb24);
    static readonly byte[] s_png = Pictures.Encode(s_image, ImageFormat.Png);

    [Theory]
    [InlineData("plain", "tEXt")]
    [InlineData("", "tEXt")]
    [InlineData("caf\u00e9 \u00ff", "tEXt")]
    [InlineData("\u5b57 and \ud83c\udfa8", "iTXt")]
    public void A_text_comes_back_and_the_rest_of_the_file_stays(string text, string type)
    {
        var file = PngText.Insert(s_png, "Key", text);
        Assert.Equal(text, PngText.Find(file, "Key"));
        Assert.Null(PngText.Find(file, "Ke"));
        Assert.Null(PngText.Find(file, "key"));
        Assert.Null(PngText.Find(s_png, "Key"));
        Assert.Equal(type, Encoding.ASCII.GetString(file, 8 + 25 + 4, 4));
        var added = file.Length - s_png.Length;
        Assert.Equal(s_png, (byte[])[.. file.AsSpan(0, 33), .. file.AsSpan(33 + added)]);
        Assert.True(ImageFile.Load(file).Pixels.SequenceEqual(s_image.Pixels));
    }

    [Fact]
    public void The_chunk_s_bytes_are_those_of_the_format()
    {
        // "Title" = "PngSuite": length, type, data, and the checksum that zlib gives for type and data.
        var file = PngText.Insert(s_png, "Title", "PngSuite");
        var crc = Crc(file.AsSpan(37, 4 + 14));
        Assert.Equal((byte[])[0, 0, 0, 14, .. "tEXtTitle\0PngSuite"u8, (byte)(crc >> 24), (byte)(crc >> 16), (byte)(crc >> 8), (byte)crc], file.AsSpan(33, 26).ToArray());
    }

    [Fact]
    public void Compressed_texts_are_read()
    {
        var packed = Deflate(Encoding.Latin1.GetBytes("caf\u00e9"));
        Assert.Equal("caf\u00e9", PngText.Find(With("zTXt", [.. "K\0\0"u8, .. packed]), "K"));
        Assert.Equal("\u5b57", PngText.Find(With("iTXt", [.. "K\0\u0001\0en\0k\0"u8, .. Deflate(Encoding.UTF8.GetBytes("\u5b57"))]), "K"));
    }

    [Fact]
    public void Damaged_files_are_refused_with_a_typed_error()
    {
        var file = PngText.Insert(s_png, "K", "text");
        for (var length = 0; length < file.Length; length++)
        {
            // A file cut behind the text still gives it; cut before, it is refused or, cut between chunks, has none.
            try
            {
                Assert.Contains(PngText.Find(file.AsSpan(0, length), "K"), new[] { null, "text" });
            }
            catch (ImageException)
            {
                Assert.True(length < 33 + 12 + 6, $"{length}");
            }
        }

        file[33 + 8 + 3] ^= 1;
        Assert.Contains("checksum", Assert.Throws<ImageException>(() => PngText.Find(file, "K")).Message, StringComparison.Ordinal);
        Assert.Equal("x", PngText.Find(PngText.Insert(file, "L", "x"), "L"));
        Assert.Throws<ImageException>(() => PngText.Find(With("zTXt", [.. "K\0\0"u8, 1, 2, 3, 4]), "K"));
        Assert.Throws<ImageException>(() => PngText.Find(With("zTXt", [.. "K\0"u8]), "K"));
        Assert.Throws<ImageException>(() => PngText.Find(With("zTXt", [.. "K\0\u0001"u8]), "K"));
        Assert.Throws<ImageException>(() => PngText.Find(With("iTXt", [.. "K\0\0\0en"u8]), "K"));
        Assert.Throws<ImageException>(() => PngText.Find(With("iTXt", [.. "K\0\u0002\0\0\0"u8]), "K"));
        Assert.Throws<ImageException>(() => PngText.Insert([1, 2, 3], "K", "x"));
        Assert.Throws<ImageException>(() => PngText.Find([1, 2, 3], "K"));
    }

    [Fact]
    public void A_small_chunk_that_inflates_without_end_is_refused() =>
        Assert.Contains("longer", Assert.Throws<ImageException>(() => PngText.Find(With("zTXt", [.. "K\0\0"u8, .. Deflate(new byte[PngText.MaxBytes + 1])]), "K")).Message, StringComparison.Ordinal);

    [Theory]
    [InlineData(" K")]
    [InlineData("K ")]
    [InlineData("K\u00e9")]
    [InlineData("K\n")]
    [InlineData("12345678901234567890123456789012345678901234567890123456789012345678901234567890")]
    public void Keywords_that_the_format_does_not_allow_are_refused(string keyword)
    {
        Assert.Throws<ArgumentException>(() => PngText.Insert(s_png, keyword, ""));
        Assert.Throws<ArgumentException>(() => PngText.Find(s_png, keyword));
        Assert.Throws<ArgumentException>(() => PngText.Insert(s_png, "K", "a\0b"));
    }

    static byte[] With(string type, byte[] data)
    {
        var chunk = new byte[12 + data.Length];
        BinaryPrimitives.WriteInt32BigEndian(chunk, data.Length);
        Encoding.ASCII.GetBytes(type).CopyTo(chunk, 4);
        data.CopyTo(chunk, 8);
        BinaryPrimitives.WriteUInt32BigEndian(chunk.AsSpan(8 + data.Length), Crc(chunk.AsSpan(4, 4 + data.Length)));
        return [.. s_png.AsSpan(0, 33), .. chunk, .. s_png.AsSpan(33)];
    }

    static byte[] Deflate(byte[] data)
    {
        using var packed = new MemoryStream();
        using (var deflate = new ZLibStream(packed, CompressionLevel.Fastest, leaveOpen: true))
            deflate.Write(data);

        return packed.ToArray();
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
