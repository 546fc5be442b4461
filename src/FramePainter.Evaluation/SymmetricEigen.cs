namespace FramePainter.Evaluation;

/// <summary>Eigenvalues and eigenvectors of symmetric matrices, by cyclic Jacobi rotations (Golub and Van Loan, "Matrix Computations", section 8.5).</summary>
static class SymmetricEigen
{
    const int MostSweeps = 60;

    /// <summary>Decomposes a matrix; only the mean of it and its transpose is looked at.</summary>
    /// <param name="matrix">A square matrix.</param>
    /// <returns>Eigenvalues in no order, and eigenvectors as columns in the same order.</returns>
    public static (double[] Values, double[,] Vectors) Decompose(double[,] matrix)
    {
        var n = matrix.GetLength(0);
        var a = new double[n, n];
        var vectors = new double[n, n];
        double norm = 0;
        for (var i = 0; i < n; i++)
        {
            vectors[i, i] = 1;
            for (var j = 0; j < n; j++)
            {
                a[i, j] = (matrix[i, j] + matrix[j, i]) / 2;
                norm += a[i, j] * a[i, j];
            }
        }

        for (var sweep = 0; sweep < MostSweeps && OffDiagonal(a) > 1e-32 * norm; sweep++)
        {
            for (var p = 0; p < n - 1; p++)
            {
                for (var q = p + 1; q < n; q++)
                {
                    Rotate(a, vectors, p, q);
                }
            }
        }

        var values = new double[n];
        for (var i = 0; i < n; i++)
        {
            values[i] = a[i, i];
        }

        return (values, vectors);
    }

    static double OffDiagonal(double[,] a)
    {
        double sum = 0;
        for (var i = 0; i < a.GetLength(0); i++)
        {
            for (var j = 0; j < i; j++)
            {
                sum += 2 * a[i, j] * a[i, j];
            }
        }

        return sum;
    }

    /// <summary>Turns axes p and q so that their common element vanishes.</summary>
    static void Rotate(double[,] a, double[,] vectors, int p, int q)
    {
        if (a[p, q] == 0)
        {
            return;
        }

        // The smaller of the two angles: tan 2φ = 2·a_pq/(a_qq − a_pp).
        var theta = (a[q, q] - a[p, p]) / (2 * a[p, q]);
        var tangent = theta == 0 ? 1 : Math.Sign(theta) / (Math.Abs(theta) + Math.Sqrt((theta * theta) + 1));
        var cosine = 1 / Math.Sqrt((tangent * tangent) + 1);
        var sine = tangent * cosine;
        var n = a.GetLength(0);
        for (var k = 0; k < n; k++)
        {
            (a[k, p], a[k, q]) = ((cosine * a[k, p]) - (sine * a[k, q]), (sine * a[k, p]) + (cosine * a[k, q]));
        }

        for (var k = 0; k < n; k++)
        {
            (a[p, k], a[q, k]) = ((cosine * a[p, k]) - (sine * a[q, k]), (sine * a[p, k]) + (cosine * a[q, k]));
            (vectors[k, p], vectors[k, q]) = ((cosine * vectors[k, p]) - (sine * vectors[k, q]), (sine * vectors[k, p]) + (cosine * vectors[k, q]));
        }
    }
}
