namespace FramePainter.Evaluation;

/// <summary>Eigenvalues and eigenvectors of a symmetric matrix by cyclic Jacobi rotations: slow for large matrices, accurate for all.</summary>
internal static class SymmetricEigen
{
    const int MaxSweeps = 60;

    /// <summary>Decomposes a matrix; only its symmetric part counts.</summary>
    /// <param name="matrix"><c>[n, n]</c>, row-major.</param>
    /// <param name="n">Its side.</param>
    /// <returns>Eigenvalues, and eigenvectors as columns.</returns>
    public static (double[] Values, double[] Vectors) Decompose(double[] matrix, int n)
    {
        var a = new double[n * n];
        var vectors = new double[n * n];
        for (var i = 0; i < n; i++)
        {
            vectors[(i * n) + i] = 1;
            for (var j = 0; j < n; j++)
            {
                a[(i * n) + j] = (matrix[(i * n) + j] + matrix[(j * n) + i]) / 2;
            }
        }

        var scale = Math.Sqrt(a.Sum(x => x * x));
        for (var sweep = 0; sweep < MaxSweeps && OffDiagonal(a, n) > 1e-16 * scale; sweep++)
        {
            for (var p = 0; p < n; p++)
            {
                for (var q = p + 1; q < n; q++)
                {
                    Rotate(a, vectors, n, p, q);
                }
            }
        }

        return ([.. Enumerable.Range(0, n).Select(i => a[(i * n) + i])], vectors);
    }

    static void Rotate(double[] a, double[] vectors, int n, int p, int q)
    {
        var apq = a[(p * n) + q];
        if (apq == 0)
        {
            return;
        }

        var theta = (a[(q * n) + q] - a[(p * n) + p]) / (2 * apq);
        var t = (theta >= 0 ? 1 : -1) / (Math.Abs(theta) + Math.Sqrt((theta * theta) + 1));
        var c = 1 / Math.Sqrt((t * t) + 1);
        var s = t * c;
        for (var k = 0; k < n; k++)
        {
            var (kp, kq) = (a[(k * n) + p], a[(k * n) + q]);
            (a[(k * n) + p], a[(k * n) + q]) = ((c * kp) - (s * kq), (s * kp) + (c * kq));
        }

        for (var k = 0; k < n; k++)
        {
            var (pk, qk) = (a[(p * n) + k], a[(q * n) + k]);
            (a[(p * n) + k], a[(q * n) + k]) = ((c * pk) - (s * qk), (s * pk) + (c * qk));
            var (vp, vq) = (vectors[(k * n) + p], vectors[(k * n) + q]);
            (vectors[(k * n) + p], vectors[(k * n) + q]) = ((c * vp) - (s * vq), (s * vp) + (c * vq));
        }
    }

    static double OffDiagonal(double[] a, int n)
    {
        double sum = 0;
        for (var i = 0; i < n; i++)
        {
            for (var j = 0; j < n; j++)
            {
                sum += i == j ? 0 : a[(i * n) + j] * a[(i * n) + j];
            }
        }

        return Math.Sqrt(sum);
    }
}
