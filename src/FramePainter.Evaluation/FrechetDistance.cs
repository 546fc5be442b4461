namespace FramePainter.Evaluation;

/// <summary>
/// Fréchet distance between two sets of features, each taken for a Gaussian: <c>|μa − μb|² + tr(Σa + Σb − 2·(ΣaΣb)^½)</c>
/// with sample covariances. On CLIP features it is CLIP-FID.
/// </summary>
public static class FrechetDistance
{
    /// <summary>Added to both diagonals where the product is so close to singular that its root is no number, as FID implementations do.</summary>
    const double Ridge = 1e-6;

    /// <summary>Computes the distance.</summary>
    /// <param name="first">Features <c>[n, dimensions]</c>, row-major, n at least 2.</param>
    /// <param name="second">Features <c>[m, dimensions]</c>, row-major, m at least 2.</param>
    /// <param name="dimensions">Features of one sample.</param>
    /// <exception cref="ArgumentException">A set is no whole number of samples, has fewer than two, or holds what is no number.</exception>
    public static double Compute(ReadOnlySpan<double> first, ReadOnlySpan<double> second, int dimensions)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(dimensions, 1);
        var (meanA, covarianceA) = Moments(first, dimensions, nameof(first));
        var (meanB, covarianceB) = Moments(second, dimensions, nameof(second));
        double distance = 0;
        for (var i = 0; i < dimensions; i++)
        {
            distance += (meanA[i] - meanB[i]) * (meanA[i] - meanB[i]);
            distance += covarianceA[(i * dimensions) + i] + covarianceB[(i * dimensions) + i];
        }

        var root = TraceOfRoot(covarianceA, covarianceB, dimensions);
        if (!double.IsFinite(root))
        {
            for (var i = 0; i < dimensions; i++)
            {
                covarianceA[(i * dimensions) + i] += Ridge;
                covarianceB[(i * dimensions) + i] += Ridge;
            }

            root = TraceOfRoot(covarianceA, covarianceB, dimensions);
        }

        return distance - (2 * root);
    }

    /// <summary>
    /// tr((AB)^½) for symmetric positive semi-definite A and B: AB has the eigenvalues of the symmetric A^½·B·A^½.
    /// </summary>
    static double TraceOfRoot(double[] a, double[] b, int n)
    {
        var (values, vectors) = SymmetricEigen.Decompose(a, n);
        var root = new double[n * n];
        for (var i = 0; i < n; i++)
        {
            for (var j = 0; j < n; j++)
            {
                double sum = 0;
                for (var k = 0; k < n; k++)
                {
                    sum += vectors[(i * n) + k] * Math.Sqrt(Math.Max(values[k], 0)) * vectors[(j * n) + k];
                }

                root[(i * n) + j] = sum;
            }
        }

        var (products, _) = SymmetricEigen.Decompose(Multiply(Multiply(root, b, n), root, n), n);
        return products.Sum(v => Math.Sqrt(Math.Max(v, 0)));
    }

    static double[] Multiply(double[] a, double[] b, int n)
    {
        var product = new double[n * n];
        for (var i = 0; i < n; i++)
        {
            for (var k = 0; k < n; k++)
            {
                var factor = a[(i * n) + k];
                for (var j = 0; j < n; j++)
                {
                    product[(i * n) + j] += factor * b[(k * n) + j];
                }
            }
        }

        return product;
    }

    static (double[] Mean, double[] Covariance) Moments(ReadOnlySpan<double> samples, int n, string name)
    {
        var count = samples.Length / n;
        if (samples.Length % n != 0 || count < 2)
        {
            throw new ArgumentException($"{samples.Length} values are no two or more samples of {n} features.", name);
        }

        foreach (var value in samples)
        {
            if (!double.IsFinite(value))
            {
                throw new ArgumentException("A feature is no finite number.", name);
            }
        }

        var mean = new double[n];
        for (var i = 0; i < samples.Length; i++)
        {
            mean[i % n] += samples[i] / count;
        }

        var covariance = new double[n * n];
        for (var s = 0; s < count; s++)
        {
            for (var i = 0; i < n; i++)
            {
                var x = samples[(s * n) + i] - mean[i];
                for (var j = 0; j < n; j++)
                {
                    covariance[(i * n) + j] += x * (samples[(s * n) + j] - mean[j]) / (count - 1);
                }
            }
        }

        return (mean, covariance);
    }
}
