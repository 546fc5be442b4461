namespace FramePainter.Evaluation;

/// <summary>
/// Likeness of two 8-bit pictures of one size. Figures are those of scikit-image's <c>peak_signal_noise_ratio</c> and
/// <c>structural_similarity</c> on RGB with a range of 255. Gray pictures count as RGB with equal channels; alpha is dropped.
/// </summary>
public static class ImageMetrics
{
    const double Range = 255;

    // Wang et al. (2004), "Image quality assessment: from error visibility to structural similarity", section III-B.
    const double C1 = 0.01 * Range * (0.01 * Range);
    const double C2 = 0.03 * Range * (0.03 * Range);

    /// <summary>The peak signal-to-noise ratio.</summary>
    /// <param name="a">A picture.</param>
    /// <param name="b">A picture of the same size.</param>
    /// <returns>Decibels; positive infinity for equal pictures.</returns>
    /// <exception cref="ImageException">The sizes differ.</exception>
    public static double Psnr(PixelImage a, PixelImage b)
    {
        CheckSizes(a, b, 1);
        var left = a.ToRgb().Pixels;
        var right = b.ToRgb().Pixels;
        long squares = 0;
        for (var i = 0; i < left.Length; i++)
        {
            var difference = left[i] - right[i];
            squares += difference * difference;
        }

        return 10 * Math.Log10(Range * Range * left.Length / squares);
    }

    /// <summary>Structural similarity with a uniform window of 7×7 and sample covariance; the mean over all whole windows and channels.</summary>
    /// <param name="a">A picture of at least 7×7 pixels.</param>
    /// <param name="b">A picture of the same size.</param>
    /// <returns>−1 to 1; 1 for equal pictures.</returns>
    /// <exception cref="ImageException">The sizes differ or are too small.</exception>
    public static double SsimUniform7(PixelImage a, PixelImage b)
    {
        const int side = 7;
        const double pixels = side * side;
        return Ssim(a, b, [.. Enumerable.Repeat(1.0 / side, side)], pixels / (pixels - 1));
    }

    /// <summary>Structural similarity with a Gaussian window (σ 1.5, 11×11), as in Wang et al. (2004); the mean over all whole windows and channels.</summary>
    /// <param name="a">A picture of at least 11×11 pixels.</param>
    /// <param name="b">A picture of the same size.</param>
    /// <returns>−1 to 1; 1 for equal pictures.</returns>
    /// <exception cref="ImageException">The sizes differ or are too small.</exception>
    public static double SsimGaussian(PixelImage a, PixelImage b)
    {
        const int radius = 5;
        const double sigma = 1.5;
        var window = Enumerable.Range(-radius, (2 * radius) + 1).Select(x => Math.Exp(-x * x / (2 * sigma * sigma))).ToArray();
        var sum = window.Sum();
        return Ssim(a, b, Array.ConvertAll(window, w => w / sum), 1);
    }

    /// <param name="a">A picture.</param>
    /// <param name="b">A picture.</param>
    /// <param name="window">The window along one axis; sums to 1.</param>
    /// <param name="covarianceFactor">n/(n−1) for sample covariance, 1 for that of the population.</param>
    static double Ssim(PixelImage a, PixelImage b, double[] window, double covarianceFactor)
    {
        CheckSizes(a, b, window.Length);
        double sum = 0;
        for (var channel = 0; channel < 3; channel++)
        {
            var (x, y) = (Plane.Of(a, channel), Plane.Of(b, channel));
            var (meanX, meanY) = (x.Filter(window), y.Filter(window));
            var (squareX, squareY, product) = (x.Times(x).Filter(window), y.Times(y).Filter(window), x.Times(y).Filter(window));
            double channelSum = 0;
            for (var i = 0; i < meanX.Values.Length; i++)
            {
                var (ux, uy) = (meanX.Values[i], meanY.Values[i]);
                var varianceX = covarianceFactor * (squareX.Values[i] - (ux * ux));
                var varianceY = covarianceFactor * (squareY.Values[i] - (uy * uy));
                var covariance = covarianceFactor * (product.Values[i] - (ux * uy));
                channelSum += ((2 * ux * uy) + C1) * ((2 * covariance) + C2) / (((ux * ux) + (uy * uy) + C1) * (varianceX + varianceY + C2));
            }

            sum += channelSum / meanX.Values.Length;
        }

        return sum / 3;
    }

    internal static void CheckSizes(PixelImage a, PixelImage b, int least)
    {
        ArgumentNullException.ThrowIfNull(a);
        ArgumentNullException.ThrowIfNull(b);
        if (a.Width != b.Width || a.Height != b.Height)
        {
            throw new ImageException($"Pictures of {a.Width}×{a.Height} and {b.Width}×{b.Height} cannot be compared; resize one of them first.");
        }

        if (Math.Min(a.Width, a.Height) < least)
        {
            throw new ImageException($"A picture of {a.Width}×{a.Height} is smaller than the window of {least}×{least}.");
        }
    }

    /// <summary>One channel as numbers, row by row.</summary>
    sealed record Plane(double[] Values, int Width, int Height)
    {
        public static Plane Of(PixelImage image, int channel)
        {
            var pixels = image.ToRgb().Pixels;
            var values = new double[image.Width * image.Height];
            for (var i = 0; i < values.Length; i++)
            {
                values[i] = pixels[(i * 3) + channel];
            }

            return new Plane(values, image.Width, image.Height);
        }

        public Plane Times(Plane other) => this with { Values = [.. Values.Zip(other.Values, (x, y) => x * y)] };

        /// <summary>Weighted means over all windows that lie inside.</summary>
        public Plane Filter(double[] window)
        {
            var (width, height) = (Width - window.Length + 1, Height - window.Length + 1);
            var narrow = new double[width * Height];
            for (var y = 0; y < Height; y++)
            {
                for (var x = 0; x < width; x++)
                {
                    for (var t = 0; t < window.Length; t++)
                    {
                        narrow[(y * width) + x] += window[t] * Values[(y * Width) + x + t];
                    }
                }
            }

            var result = new double[width * height];
            for (var y = 0; y < height; y++)
            {
                for (var t = 0; t < window.Length; t++)
                {
                    for (var x = 0; x < width; x++)
                    {
                        result[(y * width) + x] += window[t] * narrow[((y + t) * width) + x];
                    }
                }
            }

            return new Plane(result, width, height);
        }
    }
}
