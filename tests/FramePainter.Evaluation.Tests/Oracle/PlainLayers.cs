namespace FramePainter.Evaluation.Tests.Oracle;

/// <summary>Layers from their definitions, in double precision and channels-first order, as PyTorch documents them.</summary>
static class PlainLayers
{
    /// <summary>[C][H][W] from a picture's bytes, by a function of value and channel.</summary>
    public static double[][,] Planes(PixelImage image, Func<double, int, double> value) =>
        [.. Enumerable.Range(0, 3).Select(c => Plane(image.Height, image.Width, (y, x) => value(image.ToRgb().Pixels[(((y * image.Width) + x) * 3) + c], c)))];

    public static double[][,] Conv(double[][,] x, float[] weights, float[]? bias, int outputs, int side, int stride, int padding, bool rectify)
    {
        var (height, width) = (x[0].GetLength(0), x[0].GetLength(1));
        var (h, w) = (((height + (2 * padding) - side) / stride) + 1, ((width + (2 * padding) - side) / stride) + 1);
        var result = new double[outputs][,];
        Parallel.For(0, outputs, o => result[o] = Plane(h, w, (y, column) =>
        {
            double sum = bias?[o] ?? 0;
            for (var c = 0; c < x.Length; c++)
            {
                for (var ky = 0; ky < side; ky++)
                {
                    for (var kx = 0; kx < side; kx++)
                    {
                        var (sy, sx) = ((y * stride) + ky - padding, (column * stride) + kx - padding);
                        if (sy >= 0 && sy < height && sx >= 0 && sx < width)
                        {
                            sum += x[c][sy, sx] * weights[(((((o * x.Length) + c) * side) + ky) * side) + kx];
                        }
                    }
                }
            }

            return rectify ? Math.Max(sum, 0) : sum;
        }));
        return result;
    }

    public static double[][,] MaxPool(double[][,] x, int side, int stride) =>
        [.. x.Select(plane => Plane(((plane.GetLength(0) - side) / stride) + 1, ((plane.GetLength(1) - side) / stride) + 1, (y, c) =>
            Enumerable.Range(0, side * side).Max(t => plane[(y * stride) + (t / side), (c * stride) + (t % side)])))];

    /// <summary>Every row times the matrix [outputs, inputs], plus the bias.</summary>
    public static double[][] Linear(double[][] rows, float[] weights, float[]? bias, int outputs)
    {
        var result = rows.Select(_ => new double[outputs]).ToArray();
        Parallel.For(0, outputs, o =>
        {
            for (var r = 0; r < rows.Length; r++)
            {
                double sum = bias?[o] ?? 0;
                for (var i = 0; i < rows[r].Length; i++)
                {
                    sum += rows[r][i] * weights[(o * rows[r].Length) + i];
                }

                result[r][o] = sum;
            }
        });
        return result;
    }

    public static double[] LayerNorm(double[] row, float[] scale, float[] shift)
    {
        var mean = row.Average();
        var variance = row.Average(v => (v - mean) * (v - mean));
        return [.. row.Select((v, i) => ((v - mean) / Math.Sqrt(variance + 1e-5) * scale[i]) + shift[i])];
    }

    static double[,] Plane(int height, int width, Func<int, int, double> value)
    {
        var plane = new double[height, width];
        for (var y = 0; y < height; y++)
        {
            for (var x = 0; x < width; x++)
            {
                plane[y, x] = value(y, x);
            }
        }

        return plane;
    }
}
