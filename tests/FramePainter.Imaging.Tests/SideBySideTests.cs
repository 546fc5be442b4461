namespace FramePainter.Imaging.Tests;

public sealed class SideBySideTests
{
    [Fact]
    public void Small_pictures_are_enlarged_by_a_whole_factor_with_margins_around()
    {
        var image = Pictures.Noise(64, 64, PixelFormat.Rgb24);
        var strip = SideBySide.Compose(image, image, image);
        Assert.Equal(((3 * 256) + (4 * 8), 256 + 16, PixelFormat.Rgb24), (strip.Width, strip.Height, strip.Format));
        foreach (var (x, y) in new[] { (0, 0), (17, 3), (255, 255), (100, 200) })
        {
            for (var copy = 0; copy < 3; copy++)
                Assert.Equal(Pixel(image, x / 4, y / 4), Pixel(strip, 8 + (copy * 264) + x, 8 + y));
        }

        Assert.Equal((255, 255, 255), Pixel(strip, 7, 100));
        Assert.Equal((255, 255, 255), Pixel(strip, 8 + 256, 100));
        Assert.Equal((255, 255, 255), Pixel(strip, strip.Width - 1, strip.Height - 1));
    }

    [Fact]
    public void Large_pictures_keep_their_size_and_lower_ones_are_centred()
    {
        var strip = SideBySide.Compose(Pictures.Gradient(300, 400), Pictures.Noise(256, 256, PixelFormat.Gray8));
        Assert.Equal((300 + 256 + 24, 416), (strip.Width, strip.Height));
        Assert.Equal((255, 255, 255), Pixel(strip, 400, 8 + 71));
    }

    [Fact]
    public void A_thread_of_a_picture_is_not_blown_up_without_bound()
    {
        var strip = SideBySide.Compose(Pictures.Noise(2000, 1, PixelFormat.Rgb24));
        Assert.Equal((2016, 17), (strip.Width, strip.Height));
    }

    [Fact]
    public void Transparent_parts_show_black()
    {
        var strip = SideBySide.Compose(PixelImage.FromPixels([255, 255, 255, 0], 1, 1, PixelFormat.Rgba32));
        Assert.Equal((0, 0, 0), Pixel(strip, 100, 100));
    }

    [Fact]
    public void Nothing_and_too_much_are_refused()
    {
        Assert.Throws<ArgumentException>(() => SideBySide.Compose());
        var wide = Pictures.Noise(20000, 1, PixelFormat.Gray8);
        Assert.Throws<ImageException>(() => SideBySide.Compose(wide, wide));
    }

    static (int Red, int Green, int Blue) Pixel(PixelImage image, int x, int y)
    {
        var at = ((y * image.Width) + x) * 3;
        return (image.Pixels[at], image.Pixels[at + 1], image.Pixels[at + 2]);
    }
}
