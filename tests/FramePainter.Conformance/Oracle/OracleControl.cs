using FramePainter.Graphs;

namespace FramePainter.Conformance;

/// <summary>Ops of the control features.</summary>
internal static class OracleControl
{
    public static void Pool(ControlPoolOp op, OracleValues values)
    {
        var x = values[op.Input];
        var (images, height, width, channels) = (op.Input.Shape[0], op.Input.Shape[1], op.Input.Shape[2], op.Input.Shape[3]);
        var (pooledHeight, pooledWidth) = (op.Output.Shape[1], op.Output.Shape[2]);
        var pooled = new double[op.Output.Shape.Count];
        var at = 0;
        for (var image = 0; image < images; image++)
        {
            var (mean, deviation) = Statistics(x.AsSpan(image * height * width * channels, height * width * channels));
            for (var i = 0; i < pooledHeight; i++)
            {
                var (top, bottom) = Window(i, height, pooledHeight);
                for (var j = 0; j < pooledWidth; j++)
                {
                    var (left, right) = Window(j, width, pooledWidth);
                    for (var c = 0; c < channels; c++)
                    {
                        double sum = 0;
                        for (var row = top; row <= bottom; row++)
                        {
                            for (var column = left; column <= right; column++)
                            {
                                sum += x[(((((image * height) + row) * width) + column) * channels) + c];
                            }
                        }

                        pooled[at++] = ((sum / ((bottom - top + 1) * (right - left + 1))) - mean) / (deviation + ControlPoolOp.Epsilon);
                    }
                }
            }
        }

        values.Set(op.Output, pooled);
    }

    public static void Align(ControlAlignOp op, OracleValues values)
    {
        var x = values[op.Input];
        var (control, scales) = (values[op.Control], values[op.Scales]);
        var controlled = op.Control.Shape.Images;
        var before = op.Input.Shape.Images - controlled;
        var perImage = x.Length / op.Input.Shape.Images;
        var output = (double[])x.Clone();
        for (var m = 0; m < controlled; m++)
        {
            var first = (before + m) * perImage;
            var (meanX, deviationX) = Statistics(x.AsSpan(first, perImage));
            for (var i = 0; i < perImage; i++)
            {
                var aligned = (control[(m * perImage) + i] * deviationX) + meanX;
                output[first + i] = x[first + i] + (ControlAlignOp.Strength * scales[m] * aligned);
            }
        }

        values.Set(op.Output, output);
    }

    /// <summary>Mean and unbiased standard deviation.</summary>
    static (double Mean, double Deviation) Statistics(ReadOnlySpan<double> x)
    {
        var mean = OracleMath.Mean(x);
        return (mean, Math.Sqrt(OracleMath.SquaredDeviations(x, mean) / (x.Length - 1)));
    }

    /// <summary>Rows ⌊i·H/h⌋ to ⌈(i+1)·H/h⌉−1.</summary>
    static (int First, int Last) Window(int i, int size, int pooled) =>
        ((int)Math.Floor((double)(i * size) / pooled), (int)Math.Ceiling((double)((i + 1) * size) / pooled) - 1);
}
