using System.Diagnostics;

namespace FramePainter.Imaging.Tests;

public sealed class BadInputTests
{
    [Theory]
    [InlineData("", "empty")]
    [InlineData("hello, I am a text", "not a picture")]
    [InlineData("GIF89a..........", "GIF")]
    [InlineData("BM..............", "BMP")]
    [InlineData("RIFF....WAVEfmt ", "not a picture")]
    public void What_is_no_picture_is_refused_by_what_it_is(string content, string expected)
    {
        var bytes = System.Text.Encoding.ASCII.GetBytes(content);
        Assert.Contains(expected, Assert.Throws<ImageException>(() => ImageFile.Load(bytes.AsSpan())).Message, StringComparison.Ordinal);
        Assert.Contains(expected, Assert.Throws<ImageException>(() => ImageFile.Load(new MemoryStream(bytes))).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(ImageFormat.Png)]
    [InlineData(ImageFormat.Jpeg)]
    [InlineData(ImageFormat.WebP)]
    [InlineData(ImageFormat.WebPLossless)]
    public void A_truncated_file_is_an_error_wherever_it_ends(ImageFormat format)
    {
        var whole = Pictures.Encode(Pictures.Noise(64, 48, PixelFormat.Rgb24), format);
        foreach (var share in new[] { 0.001, 0.01, 0.05, 0.3, 0.6, 0.9 })
        {
            var part = whole[..Math.Max(8, (int)(whole.Length * share))];
            Assert.Throws<ImageException>(() => ImageFile.Load(part.AsSpan()));
        }
    }

    [Theory]
    [InlineData(PixelImage.MaxSide + 1, 1)]
    [InlineData(1, PixelImage.MaxSide + 1)]
    [InlineData(32768, 8193)]
    [InlineData(int.MaxValue, int.MaxValue)]
    public void A_size_beyond_the_limits_is_refused_from_the_header(int width, int height)
    {
        var clock = Stopwatch.StartNew();
        var before = GC.GetTotalAllocatedBytes();
        Assert.Throws<ImageException>(() => ImageFile.Load(Pictures.PngHeader(width, height).AsSpan()));
        Assert.True(clock.Elapsed < TimeSpan.FromSeconds(1), $"{clock.Elapsed}");
        Assert.True(GC.GetTotalAllocatedBytes() - before < 10_000_000);
    }

    [Fact]
    public void A_header_that_promises_more_than_the_file_holds_is_an_error_within_a_second()
    {
        var clock = Stopwatch.StartNew();
        var error = Assert.Throws<ImageException>(() => ImageFile.Load(Pictures.PngHeader(16384, 16384).AsSpan()));
        Assert.True(clock.Elapsed < TimeSpan.FromSeconds(1), $"{clock.Elapsed}");
        Assert.Contains("cannot be decoded", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Flipped_bytes_never_escape_as_anything_but_a_picture_or_a_typed_error()
    {
        var random = new Random(7);
        foreach (var format in Enum.GetValues<ImageFormat>())
        {
            var whole = Pictures.Encode(Pictures.Noise(24, 24, PixelFormat.Rgba32), format);
            for (var i = 0; i < 300; i++)
            {
                var bytes = (byte[])whole.Clone();
                for (var flips = random.Next(1, 6); flips > 0; flips--)
                    bytes[random.Next(bytes.Length)] = (byte)random.Next(256);

                var error = Record.Exception(() => ImageFile.Load(bytes.AsSpan()));
                Assert.True(error is null or ImageException, $"{format}: {error}");
            }
        }
    }

    [Fact]
    public void The_error_names_the_file()
    {
        var path = Path.Combine(Path.GetTempPath(), $"framepainter-{Guid.NewGuid():N}.png");
        Assert.Throws<FileNotFoundException>(() => ImageFile.Load(path));
        File.WriteAllText(path, "no picture");
        try
        {
            Assert.Contains(path, Assert.Throws<ImageException>(() => ImageFile.Load(path)).Message, StringComparison.Ordinal);
        }
        finally
        {
            File.Delete(path);
        }

        Assert.Contains("folder", Assert.Throws<ImageException>(() => ImageFile.Load(Path.GetTempPath())).Message, StringComparison.Ordinal);
    }
}
