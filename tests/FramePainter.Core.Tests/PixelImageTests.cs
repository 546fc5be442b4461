using FsCheck.Xunit;

namespace FramePainter.Core.Tests;

public sealed class PixelImageTests
{
    [Theory]
    [InlineData(0, 0)]
    [InlineData(0, 5)]
    [InlineData(5, 0)]
    [InlineData(-1, 5)]
    [InlineData(int.MinValue, int.MinValue)]
    [InlineData(PixelImage.MaxSide + 1, 1)]
    [InlineData(PixelImage.MaxSide, PixelImage.MaxSide)]
    [InlineData(int.MaxValue, int.MaxValue)]
    public void Sizes_out_of_range_are_refused_by_name(int width, int height)
    {
        var error = Assert.Throws<ImageException>(() => PixelImage.FromPixels(new byte[16], width, height, PixelFormat.Rgb24));
        Assert.Contains($"{width}×{height}", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(17, 0)]
    [InlineData(100, 8)]
    [InlineData(100, -9)]
    [InlineData(18, 10)]
    [InlineData(0, 0)]
    public void Buffers_and_strides_that_do_not_fit_are_refused(int bytes, int stride)
    {
        Assert.Throws<ImageException>(() => PixelImage.FromPixels(new byte[bytes], 3, 2, PixelFormat.Bgr24, stride));
        var image = PixelImage.FromPixels(new byte[18], 3, 2, PixelFormat.Rgb24);
        Assert.Throws<ImageException>(() => image.CopyTo(new byte[bytes], PixelFormat.Bgr24, stride));
    }

    [Fact]
    public void A_huge_stride_does_not_wrap_around() =>
        Assert.Throws<ImageException>(() => PixelImage.FromPixels(new byte[64], 1, 32768, PixelFormat.Gray8, int.MaxValue));

    [Fact]
    public void An_unknown_format_is_refused()
    {
        Assert.Throws<ImageException>(() => PixelImage.FromPixels(new byte[64], 1, 1, (PixelFormat)9));
        Assert.Throws<ImageException>(() => PixelImage.FromPixels(new byte[64], 1, 1, PixelFormat.Gray8).CopyTo(new byte[4], (PixelFormat)(-1)));
    }

    [Theory]
    [InlineData(PixelFormat.Rgb24, PixelFormat.Rgb24, 3)]
    [InlineData(PixelFormat.Bgr24, PixelFormat.Rgb24, 3)]
    [InlineData(PixelFormat.Rgba32, PixelFormat.Rgba32, 4)]
    [InlineData(PixelFormat.Bgra32, PixelFormat.Rgba32, 4)]
    [InlineData(PixelFormat.Gray8, PixelFormat.Gray8, 1)]
    public void Pixels_come_back_as_they_went_in_and_gaps_stay(PixelFormat format, PixelFormat own, int size)
    {
        const int Width = 5, Height = 3;
        var stride = (Width * size) + 2;
        var source = new byte[(stride * Height) - 2];
        new Random(1).NextBytes(source);
        var image = PixelImage.FromPixels(source, Width, Height, format, stride);
        Assert.Equal((Width, Height, own, Width * Height * size), (image.Width, image.Height, image.Format, image.Pixels.Length));

        var back = Enumerable.Repeat((byte)77, source.Length).ToArray();
        image.CopyTo(back, format, stride);
        for (var i = 0; i < source.Length; i++)
        {
            Assert.Equal(i % stride < Width * size ? source[i] : 77, back[i]);
        }
    }

    [Fact]
    public void The_picture_does_not_change_with_the_memory_it_came_from()
    {
        byte[] source = [1, 2, 3];
        var image = PixelImage.FromPixels(source, 1, 1, PixelFormat.Rgb24);
        source[0] = 9;
        Assert.Equal([1, 2, 3], image.Pixels.ToArray());
    }

    [Fact]
    public void Formats_convert()
    {
        var image = PixelImage.FromPixels([10, 20, 30, 40], 1, 1, PixelFormat.Bgra32);
        Assert.Equal([30, 20, 10, 40], image.Pixels.ToArray());
        Assert.Equal([30, 20, 10], image.ToRgb().Pixels.ToArray());
        Assert.Equal([22], image.ToGray().Pixels.ToArray());
        Assert.Equal([22, 22, 22], image.ToGray().ToRgb().Pixels.ToArray());

        var opaque = new byte[4];
        image.ToRgb().CopyTo(opaque, PixelFormat.Bgra32);
        Assert.Equal([10, 20, 30, 255], opaque);
        var rgb = image.ToRgb();
        Assert.Same(rgb, rgb.ToRgb());
    }

    [Property]
    public bool Luma_is_rec601_rounded(byte r, byte g, byte b)
    {
        var exact = (0.299 * r) + (0.587 * g) + (0.114 * b);
        var luma = PixelImage.FromPixels([r, g, b], 1, 1, PixelFormat.Rgb24).ToGray().Pixels[0];
        return Math.Abs(luma - exact) <= 0.51 && PixelRows.Luma(r, r, r) == r;
    }
}
