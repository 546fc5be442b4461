namespace FramePainter.Evaluation;

/// <summary>The Fréchet distance of two sets of feature vectors, each taken for a normal distribution (Heusel et al., 2017, "GANs trained by a two time-scale update rule", section 4).</summary>
public static class FrechetDistance
{
    /// <summary>
    /// |μa − μb|² + tr(Σa + Σb − 2·(Σa·Σb)^½) with sample covariances. The trace of the root is the sum of the roots of the
    /// eigenvalues of √Σa·Σb·√Σa, which is symmetric and has no negative ones: it exists for singular covariances too
    /// (fewer vectors than features), without the offset on the diagonal that a general matrix root needs.
    /// </summary>
    /// <param name="a">Features [N, D], row-major.</param>
    /// <param name="b">Features [M, D], row-major.</param>
    /// <param name="dimension">D.</param>
    /// <returns>The squared distance, as FID is given; 0 for equal sets.</returns>
    /// <exception cref="ArgumentException">A set is no multiple of <paramref name="dimension"/> or has fewer than two vectors.</exception>
    public static double Compute(ReadOnlySpan<double> a, ReadOnlySpan<double> b, int dimension)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(dimension, 1);
        var (meanA, covarianceA) = Moments(a, dimension, nameof(a));
        var (meanB, covarianceB) = Moments(b, dimension, nameof(b));
        double distance = 0;
        for (var i = 0; i < dimension; i++)
        {
            var difference = meanA[i] - meanB[i];
            distance += (difference * difference) + covarianceA[i, i] + covarianceB[i, i];
        }

        var (values, vectors) = SymmetricEigen.Decompose(covarianceA);
        var root = new double[dimension, dimension];
        for (var i = 0; i < dimension; i++)
        {
            for (var j = 0; j < dimension; j++)
            {
                for (var k = 0; k < dimension; k++)
                {
                    root[i, j] += vectors[i, k] * Math.Sqrt(Math.Max(values[k], 0)) * vectors[j, k];
                }
            }
        }

        var product = Multiply(Multiply(root, covarianceB), root);
        foreach (var value in SymmetricEigen.Decompose(product).Values)
        {
            distance -= 2 * Math.Sqrt(Math.Max(value, 0));
        }

        return distance;
    }

    static (double[] Mean, double[,] Covariance) Moments(ReadOnlySpan<double> vectors, int dimension, string name)
    {
        var count = vectors.Length / dimension;
        if (count < 2 || count * dimension != vectors.Length)
        {
            throw new ArgumentException($"{vectors.Length} numbers are not two or more vectors of {dimension}.", name);
        }

        var mean = new double[dimension];
        for (var i = 0; i < vectors.Length; i++)
        {
            mean[i % dimension] += vectors[i] / count;
        }

        var covariance = new double[dimension, dimension];
        for (var v = 0; v < count; v++)
        {
            var vector = vectors.Slice(v * dimension, dimension);
            for (var i = 0; i < dimension; i++)
            {
                for (var j = 0; j < dimension; j++)
                {
                    covariance[i, j] += (vector[i] - mean[i]) * (vector[j] - mean[j]) / (count - 1);
                }
            }
        }

        return (mean, covariance);
    }

    static double[,] Multiply(double[,] a, double[,] b)
    {
        var n = a.GetLength(0);
        var product = new double[n, n];
        for (var i = 0; i < n; i++)
        {
            for (var k = 0; k < n; k++)
            {
                for (var j = 0; j < n; j++)
                {
                    product[i, j] += a[i, k] * b[k, j];
                }
            }
        }

        return product;
    }
}
