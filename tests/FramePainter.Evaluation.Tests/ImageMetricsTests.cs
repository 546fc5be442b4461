namespace FramePainter.Evaluation.Tests;

/// <summary>Measures in cases that can be worked out by hand; the goldens hold them to the Python tools.</summary>
public sealed class ImageMetricsTests
{
    [Fact]
    public void Equal_pictures_are_infinitely_near_and_wholly_alike()
    {
        var picture = Picture(12, 11, i => (byte)(i * 37));
        Assert.Equal(double.PositiveInfinity, ImageMetrics.Psnr(picture, picture));
        Assert.Equal(1, ImageMetrics.SsimUniform7(picture, picture), 1e-12);
        Assert.Equal(1, ImageMetrics.SsimGaussian(picture, picture), 1e-12);
    }

    [Fact]
    public void Flat_pictures_have_closed_forms()
    {
        var (a, b) = (Picture(11, 11, _ => 100), Picture(11, 11, _ => 110));
        Assert.Equal(10 * Math.Log10(255.0 * 255 / 100), ImageMetrics.Psnr(a, b), 1e-12);
        var c1 = 2.55 * 2.55;
        var luminance = ((2 * 100 * 110) + c1) / ((100 * 100) + (110 * 110) + c1);
        Assert.Equal(luminance, ImageMetrics.SsimUniform7(a, b), 1e-9);
        Assert.Equal(luminance, ImageMetrics.SsimGaussian(a, b), 1e-9);
    }

    [Fact]
    public void Pictures_that_do_not_fit_are_refused()
    {
        Assert.Throws<ImageException>(() => ImageMetrics.Psnr(Picture(3, 4, _ => 0), Picture(4, 3, _ => 0)));
        Assert.Throws<ImageException>(() => ImageMetrics.SsimUniform7(Picture(6, 9, _ => 0), Picture(6, 9, _ => 0)));
        Assert.Throws<ImageException>(() => ImageMetrics.SsimGaussian(Picture(20, 10, _ => 0), Picture(20, 10, _ => 0)));
    }

    static PixelImage Picture(int width, int height, Func<int, byte> value) =>
        PixelImage.FromPixels([.. Enumerable.Range(0, width * height * 3).Select(value)], width, height, PixelFormat.Rgb24);
}
