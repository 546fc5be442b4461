using FramePainter.Evaluation;

namespace FramePainter.Goldens.Tests;

/// <summary>Measures in cases that can be worked out by hand; the goldens hold them to the Python tools.</summary>
public sealed class EvaluationTests
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

    [Fact]
    public void On_a_line_the_distance_is_that_of_means_and_deviations()
    {
        // Variances 2 and 18, means 1 and 3: (1 − 3)² + (√2 − √18)².
        Assert.Equal(4 + Math.Pow(Math.Sqrt(2) - Math.Sqrt(18), 2), FrechetDistance.Compute([0, 2], [0, 6], 1), 1e-12);
    }

    [Fact]
    public void Equal_and_shifted_sets_are_told_apart_even_when_singular()
    {
        // Three vectors of four features: their covariance has rank two.
        double[] set = [1, 2, 3, 4, 4, 3, 9, 1, 0, 5, 2, 2];
        Assert.Equal(0, FrechetDistance.Compute(set, set, 4), 1e-6);
        Assert.Equal(4 * 9, FrechetDistance.Compute(set, [.. set.Select(x => x + 3)], 4), 1e-6);
    }

    [Fact]
    public void Sets_that_are_no_vectors_are_refused()
    {
        Assert.Throws<ArgumentException>(() => FrechetDistance.Compute([1, 2, 3], [1, 2, 3, 4], 2));
        Assert.Throws<ArgumentException>(() => FrechetDistance.Compute([1, 2], [1, 2, 3, 4], 2));
    }

    static PixelImage Picture(int width, int height, Func<int, byte> value) =>
        PixelImage.FromPixels([.. Enumerable.Range(0, width * height * 3).Select(value)], width, height, PixelFormat.Rgb24);
}
