using FramePainter.Graphs;

namespace FramePainter.Conformance;

/// <summary>Elementwise functions in double precision.</summary>
internal static class OracleMath
{
    public static double Sigmoid(double x) => 1 / (1 + Math.Exp(-x));

    public static double Activate(Activation activation, double x) => activation switch
    {
        Activation.None => x,
        Activation.Silu => x * Sigmoid(x),
        Activation.Gelu => x * 0.5 * Erfc(-x / Math.Sqrt(2)),
        Activation.QuickGelu => x * Sigmoid(1.702 * x),
        Activation.Relu => Math.Max(x, 0),
        _ => throw new ArgumentOutOfRangeException(nameof(activation), activation, "Not a function of one number."),
    };

    /// <summary>An activation over the channels of one position; GEGLU returns half as many.</summary>
    public static double[] Activate(Activation activation, ReadOnlySpan<double> x)
    {
        var result = new double[activation == Activation.Geglu ? x.Length / 2 : x.Length];
        for (var c = 0; c < result.Length; c++)
        {
            result[c] = activation == Activation.Geglu
                ? x[c] * Activate(Activation.Gelu, x[c + result.Length])
                : Activate(activation, x[c]);
        }

        return result;
    }

    /// <summary>1 − erf(x): below 2 by the series whose terms are all of one sign, above by the continued fraction.</summary>
    public static double Erfc(double x)
    {
        if (double.IsNaN(x))
        {
            return x;
        }

        if (x < 0)
        {
            return 2 - Erfc(-x);
        }

        if (x < 2)
        {
            // erf(x) = 2/sqrt(pi)·exp(−x²)·Σ 2ⁿ·x^(2n+1)/(1·3·5···(2n+1))
            double term = x, sum = x;
            for (var n = 1; term > sum * 1e-18; n++)
            {
                term *= 2 * x * x / ((2 * n) + 1);
                sum += term;
            }

            return 1 - (2 / Math.Sqrt(Math.PI) * Math.Exp(-x * x) * sum);
        }

        // erfc(x) = exp(−x²)/sqrt(pi) · 1/(x + (1/2)/(x + (2/2)/(x + (3/2)/(x + ...))))
        var fraction = x;
        for (var n = 200; n >= 1; n--)
        {
            fraction = x + (n / 2.0 / fraction);
        }

        return Math.Exp(-x * x) / Math.Sqrt(Math.PI) / fraction;
    }

    public static double Mean(ReadOnlySpan<double> x)
    {
        double sum = 0;
        foreach (var element in x)
        {
            sum += element;
        }

        return sum / x.Length;
    }

    /// <summary>Σ (x − mean)².</summary>
    public static double SquaredDeviations(ReadOnlySpan<double> x, double mean)
    {
        double sum = 0;
        foreach (var element in x)
        {
            sum += (element - mean) * (element - mean);
        }

        return sum;
    }
}
