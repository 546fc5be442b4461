namespace FramePainter.Pipeline;

/// <summary>
/// One axis of the CLIP resize: for every output position the weights of the input positions, blur and bicubic in one.
/// <para>
/// Blur: Gaussian of σ = max((input/output − 1)/2, 0.001), ⌊4σ⌋ taps but at least 3, made odd, edges reflected without repeating the edge.
/// The reflection never needs more than the axis holds, save on an axis of one pixel, where PyTorch refuses; here such an axis is constant.
/// Bicubic: a = −0.75, the first and last positions of input and output coincide, positions beyond the edge repeat it.
/// </para>
/// </summary>
sealed class AntialiasedAxis
{
    readonly (int First, float[] Weights)[] _taps;

    /// <summary>Computes the weights.</summary>
    /// <param name="input">Input size along the axis.</param>
    /// <param name="output">Output size along the axis.</param>
    public AntialiasedAxis(int input, int output)
    {
        var blur = Gaussian(Math.Max((((double)input / output) - 1) / 2, 0.001));
        var dense = new double[input];
        _taps = new (int, float[])[output];

        // The position is computed in float, as the original does: at thousands of pixels its rounding shows in the weights.
        var scale = output == 1 ? 0f : (input - 1) / (float)(output - 1);
        Span<double> cubic = stackalloc double[4];
        for (var i = 0; i < output; i++)
        {
            var position = scale * i;
            var left = (int)MathF.Floor(position);
            BicubicWeights(position - left, cubic);
            int lowest = input, highest = -1;
            for (var t = 0; t < cubic.Length; t++)
            {
                var center = Math.Clamp(left - 1 + t, 0, input - 1);
                for (var k = 0; k < blur.Length; k++)
                {
                    var at = Reflect(center + k - (blur.Length / 2), input);
                    dense[at] += cubic[t] * blur[k];
                    lowest = Math.Min(lowest, at);
                    highest = Math.Max(highest, at);
                }
            }

            var used = dense.AsSpan(lowest, highest - lowest + 1);
            _taps[i] = (lowest, Array.ConvertAll(used.ToArray(), w => (float)w));
            used.Clear();
        }
    }

    /// <summary>The weights of one output position, from the input position <paramref name="first"/> on.</summary>
    public ReadOnlySpan<float> At(int position, out int first)
    {
        (first, var weights) = _taps[position];
        return weights;
    }

    static double[] Gaussian(double sigma)
    {
        var size = Math.Max((int)(4 * sigma), 3) | 1;
        var kernel = new double[size];
        for (var k = 0; k < size; k++)
        {
            double x = k - (size / 2);
            kernel[k] = Math.Exp(-x * x / (2 * sigma * sigma));
        }

        var sum = kernel.Sum();
        return Array.ConvertAll(kernel, w => w / sum);
    }

    static int Reflect(int at, int length)
    {
        if (length == 1)
        {
            return 0;
        }

        return at < 0 ? -at : at < length ? at : (2 * (length - 1)) - at;
    }

    /// <summary>Weights of the positions −1, 0, 1, 2 for a point at <paramref name="t"/> between 0 and 1.</summary>
    static void BicubicWeights(double t, Span<double> weights)
    {
        weights[0] = Far(t + 1);
        weights[1] = Near(t);
        weights[2] = Near(1 - t);
        weights[3] = Far(2 - t);

        const double A = -0.75;
        static double Near(double x) => ((((A + 2) * x) - (A + 3)) * x * x) + 1;
        static double Far(double x) => (((((x - 5) * x) + 8) * x) - 4) * A;
    }
}
