using System.Numerics.Tensors;
using MathNet.Numerics.LinearAlgebra;

namespace FramePainter.Evaluation;

/// <summary>The Fréchet distance of two sets of feature vectors, each taken for a normal distribution (Heusel et al., 2017, "GANs trained by a two time-scale update rule", section 4).</summary>
public static class FrechetDistance
{
    /// <summary>
    /// |μa − μb|² + tr(Σa + Σb − 2·(Σa·Σb)^½) with sample covariances. With Σa = AᵀA and Σb = BᵀB the trace of the root is the sum of
    /// the singular values of A·Bᵀ. That exists for singular covariances too (fewer vectors than features), so the offset of 1e-6 on
    /// the diagonal, which the usual tools add where a general matrix root fails, is never needed.
    /// </summary>
    /// <param name="a">Features [N, D], row-major.</param>
    /// <param name="b">Features [M, D], row-major.</param>
    /// <param name="dimension">D.</param>
    /// <returns>The squared distance, as FID is given; 0 for equal sets.</returns>
    /// <exception cref="ArgumentException">A set is no multiple of <paramref name="dimension"/>, has fewer than two vectors, or holds a number that is not finite.</exception>
    public static double Compute(ReadOnlySpan<double> a, ReadOnlySpan<double> b, int dimension)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(dimension, 1);
        var (meanA, factorA) = Moments(a, dimension, nameof(a));
        var (meanB, factorB) = Moments(b, dimension, nameof(b));
        var difference = TensorPrimitives.Distance<double>(meanA, meanB);
        var root = factorA.TransposeAndMultiply(factorB).Svd(computeVectors: false).S.Sum();
        return (difference * difference) + SumOfSquares(factorA) + SumOfSquares(factorB) - (2 * root);
    }

    /// <summary>The mean, and a matrix F of at most D rows with FᵀF the covariance.</summary>
    static (double[] Mean, Matrix<double> Factor) Moments(ReadOnlySpan<double> vectors, int dimension, string name)
    {
        var count = vectors.Length / dimension;
        if (count < 2 || count * dimension != vectors.Length)
        {
            throw new ArgumentException($"{vectors.Length} numbers are not two or more vectors of {dimension}.", name);
        }

        if (!TensorPrimitives.IsFiniteAll(vectors))
        {
            throw new ArgumentException("A feature is not a finite number.", name);
        }

        var mean = new double[dimension];
        for (var v = 0; v < count; v++)
        {
            TensorPrimitives.MultiplyAdd(vectors.Slice(v * dimension, dimension), 1.0 / count, mean, mean);
        }

        var centred = Matrix<double>.Build.Dense(count, dimension);
        for (var v = 0; v < count; v++)
        {
            for (var i = 0; i < dimension; i++)
            {
                centred[v, i] = (vectors[(v * dimension) + i] - mean[i]) / Math.Sqrt(count - 1);
            }
        }

        return (mean, count > dimension ? centred.QR(MathNet.Numerics.LinearAlgebra.Factorization.QRMethod.Thin).R : centred);
    }

    static double SumOfSquares(Matrix<double> matrix) => Math.Pow(matrix.FrobeniusNorm(), 2);
}
