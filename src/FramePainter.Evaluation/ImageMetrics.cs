namespace FramePainter.Evaluation;

/// <summary>Likeness of two 8-bit pictures of one size, computed in double on RGB; alpha is dropped.</summary>
public static class ImageMetrics
{
    const double Range = 255;

    /// <summary>Constants of SSIM (Wang et al. 2004): (K1·L)² and (K2·L)².</summary>
    const double C1 = 0.01 * Range * 0.01 * Range;
    const double C2 = 0.03 * Range * 0.03 * Range;

    /// <summary>Standard deviation and radius (3.5 deviations, rounded) of the Gaussian window.</summary>
    const double GaussianSigma = 1.5;
    const int GaussianRadius = 5;

    const int UniformRadius = 3;

    /// <summary>Peak signal-to-noise ratio in dB, mean squared error over all channels; infinite for equal pictures.</summary>
    /// <param name="first">A picture.</param>
    /// <param name="second">Another of the same size.</param>
    /// <exception cref="ImageException">The sizes differ.</exception>
    public static double Psnr(PixelImage first, PixelImage second)
    {
        var (a, b) = Pair(first, second, 0);
        double sum = 0;
        for (var i = 0; i < a.Length; i++)
        {
            double difference = a[i] - b[i];
            sum += difference * difference;
        }

        return 10 * Math.Log10(Range * Range / (sum / a.Length));
    }

    /// <summary>Structural similarity with a uniform 7×7 window and sample covariance, mean over channels: scikit-image's default.</summary>
    /// <param name="first">A picture, at least 7×7.</param>
    /// <param name="second">Another of the same size.</param>
    /// <exception cref="ImageException">The sizes differ or are too small.</exception>
    public static double SsimUniform7(PixelImage first, PixelImage second)
    {
        const int Side = (2 * UniformRadius) + 1;
        const double Samples = Side * Side;
        return Ssim(first, second, [.. Enumerable.Repeat(1.0 / Side, Side)], Samples / (Samples - 1));
    }

    /// <summary>Structural similarity with a Gaussian window (σ 1.5, radius 5) and population covariance, mean over channels: Wang et al.'s.</summary>
    /// <param name="first">A picture, at least 11×11.</param>
    /// <param name="second">Another of the same size.</param>
    /// <exception cref="ImageException">The sizes differ or are too small.</exception>
    public static double SsimGaussian(PixelImage first, PixelImage second)
    {
        var window = new double[(2 * GaussianRadius) + 1];
        for (var i = 0; i < window.Length; i++)
        {
            var x = (i - GaussianRadius) / GaussianSigma;
            window[i] = Math.Exp(-0.5 * x * x);
        }

        var sum = window.Sum();
        return Ssim(first, second, [.. window.Select(w => w / sum)], 1);
    }

    /// <summary>Mean over all positions whose window lies inside the picture: the borders are cropped, so that how they would be extended does not matter.</summary>
    static double Ssim(PixelImage first, PixelImage second, double[] window, double covariance)
    {
        var (a, b) = Pair(first, second, window.Length);
        var (width, height) = (first.Width, first.Height);
        double total = 0;
        for (var channel = 0; channel < 3; channel++)
        {
            double[] Plane(Func<double, double, double> value)
            {
                var plane = new double[width * height];
                for (var i = 0; i < plane.Length; i++)
                {
                    plane[i] = value(a[(i * 3) + channel], b[(i * 3) + channel]);
                }

                return Filter(plane, width, height, window);
            }

            var meanA = Plane((x, _) => x);
            var meanB = Plane((_, y) => y);
            var squareA = Plane((x, _) => x * x);
            var squareB = Plane((_, y) => y * y);
            var product = Plane((x, y) => x * y);
            double sum = 0;
            for (var i = 0; i < meanA.Length; i++)
            {
                var varianceA = covariance * (squareA[i] - (meanA[i] * meanA[i]));
                var varianceB = covariance * (squareB[i] - (meanB[i] * meanB[i]));
                var both = covariance * (product[i] - (meanA[i] * meanB[i]));
                sum += ((2 * meanA[i] * meanB[i]) + C1) * ((2 * both) + C2)
                    / (((meanA[i] * meanA[i]) + (meanB[i] * meanB[i]) + C1) * (varianceA + varianceB + C2));
            }

            total += sum / meanA.Length;
        }

        return total / 3;
    }

    /// <summary>Separable filter, only where the window fits.</summary>
    static double[] Filter(double[] plane, int width, int height, double[] window)
    {
        var (narrow, low) = (width - window.Length + 1, height - window.Length + 1);
        var rows = new double[narrow * height];
        for (var y = 0; y < height; y++)
        {
            for (var x = 0; x < narrow; x++)
            {
                double sum = 0;
                for (var k = 0; k < window.Length; k++)
                {
                    sum += window[k] * plane[(y * width) + x + k];
                }

                rows[(y * narrow) + x] = sum;
            }
        }

        var result = new double[narrow * low];
        for (var y = 0; y < low; y++)
        {
            for (var x = 0; x < narrow; x++)
            {
                double sum = 0;
                for (var k = 0; k < window.Length; k++)
                {
                    sum += window[k] * rows[((y + k) * narrow) + x];
                }

                result[(y * narrow) + x] = sum;
            }
        }

        return result;
    }

    static (byte[] First, byte[] Second) Pair(PixelImage first, PixelImage second, int least)
    {
        ArgumentNullException.ThrowIfNull(first);
        ArgumentNullException.ThrowIfNull(second);
        if (first.Width != second.Width || first.Height != second.Height)
        {
            throw new ImageException($"Pictures of {first} and {second} cannot be compared; bring them to one size.");
        }

        if (first.Width < least || first.Height < least)
        {
            throw new ImageException($"A picture of {first} is smaller than the {least}×{least} window.");
        }

        return (first.ToRgb().Pixels.ToArray(), second.ToRgb().Pixels.ToArray());
    }
}
