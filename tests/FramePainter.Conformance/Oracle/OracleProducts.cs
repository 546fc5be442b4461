using FramePainter.Graphs;

namespace FramePainter.Conformance;

/// <summary>Ops that multiply by a weight matrix.</summary>
internal static class OracleProducts
{
    public static void Linear(LinearOp op, OracleValues values, OracleWeights weights)
    {
        var tokens = op.Output.Shape.Tokens;
        Multiply(op, values, weights, (position, patch) =>
        {
            var (image, token) = Math.DivRem(position, tokens);
            values.CopyPosition(op.Input, (image * op.ImageStride * tokens) + token, patch);
        });
    }

    public static void Conv(ConvOp op, OracleValues values, OracleWeights weights)
    {
        var (height, width) = (op.Input.Shape[1], op.Input.Shape[2]);
        var (outHeight, outWidth) = (op.Output.Shape[1], op.Output.Shape[2]);
        var channels = op.Input.Channels;
        var scale = op.Upsample ? 2 : 1;
        Multiply(op, values, weights, (position, patch) =>
        {
            var image = position / (outHeight * outWidth);
            var (oy, ox) = (position / outWidth % outHeight, position % outWidth);
            for (var ky = 0; ky < op.KernelHeight; ky++)
            {
                for (var kx = 0; kx < op.KernelWidth; kx++)
                {
                    var y = (oy * op.Stride) + ky - op.Padding.Top;
                    var x = (ox * op.Stride) + kx - op.Padding.Left;
                    var tap = patch.Slice(((ky * op.KernelWidth) + kx) * channels, channels);
                    if (y < 0 || y >= height * scale || x < 0 || x >= width * scale)
                    {
                        tap.Clear();
                    }
                    else
                    {
                        values.CopyPosition(op.Input, (((image * height) + (y / scale)) * width) + (x / scale), tap);
                    }
                }
            }
        });
    }

    public static void TemporalConv(TemporalConvOp op, OracleValues values, OracleWeights weights)
    {
        var tokens = op.Output.Shape.Tokens;
        var channels = op.Input.Channels;
        Multiply(op, values, weights, (position, patch) =>
        {
            var frame = position / tokens % op.Frames;
            for (var tap = 0; tap < 3; tap++)
            {
                var part = patch.Slice(tap * channels, channels);
                var from = frame + tap - 1;
                if (from < 0 || from >= op.Frames)
                {
                    part.Clear();
                }
                else
                {
                    values.CopyPosition(op.Input, position + ((tap - 1) * tokens), part);
                }
            }
        });
    }

    delegate void Gather(int position, Span<double> patch);

    /// <summary>out = Scale·(activation(W·patch + bias) + rows) + Σ residual.Scale·residual, at every position of the output.</summary>
    static void Multiply(ProductOp op, OracleValues values, OracleWeights weights, Gather gather)
    {
        var matrix = weights.Matrix(op.Weight);
        var bias = op.Bias is null ? new double[matrix.Length] : weights.Vector(op.Bias);
        var shape = op.Output.Shape;
        var end = op.Epilogue;
        var scale = weights.Scale(end.Scale);
        var residuals = end.Residuals.Select(r => (Values: values[r.Value], Scale: weights.Scale(r.Scale))).ToArray();
        var output = new double[shape.Count];
        Parallel.For(0, shape.Images * shape.Tokens, position =>
        {
            var patch = new double[op.Weight.Taps * op.Weight.Inputs];
            gather(position, patch);
            var sums = new double[matrix.Length];
            for (var n = 0; n < sums.Length; n++)
            {
                var row = matrix[n];
                double sum = 0;
                for (var k = 0; k < patch.Length; k++)
                {
                    sum += row[k] * patch[k];
                }

                sums[n] = sum + bias[n];
            }

            var activated = OracleMath.Activate(end.Activation, sums);
            for (var c = 0; c < shape.Channels; c++)
            {
                var at = (position * shape.Channels) + c;
                var result = activated[c];
                if (end.Rows is { } rows)
                {
                    result += values[rows.Table][(rows.RowOf(position / shape.Tokens, shape.Images) * shape.Channels) + c];
                }

                result *= scale;
                foreach (var residual in residuals)
                {
                    result += residual.Scale * residual.Values[at];
                }

                output[at] = result;
            }
        });
        values.Set(op.Output, output);
    }
}
