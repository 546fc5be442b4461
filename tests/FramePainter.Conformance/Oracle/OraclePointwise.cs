using FramePainter.Graphs;

namespace FramePainter.Conformance;

/// <summary>Ops that treat every element or position by itself.</summary>
internal static class OraclePointwise
{
    public static void Activate(ActivateOp op, OracleValues values)
    {
        var x = values[op.Input];
        var channels = op.Input.Shape.Channels;
        var output = new List<double>();
        for (var position = 0; position < x.Length / channels; position++)
        {
            output.AddRange(OracleMath.Activate(op.Activation, x.AsSpan(position * channels, channels)));
        }

        values.Set(op.Output, [.. output]);
    }

    public static void Blend(BlendOp op, OracleValues values, OracleWeights weights)
    {
        var (left, right) = (values[op.Left], values[op.Right]);
        var (leftScale, rightScale) = (weights.Scale(op.LeftScale), weights.Scale(op.RightScale));
        values.Set(op.Output, [.. left.Select((x, i) => (leftScale * x) + (rightScale * right[i]))]);
    }

    public static void AddRows(AddRowsOp op, OracleValues values)
    {
        var (x, table) = (values[op.Input], values[op.Rows.Table]);
        var shape = op.Input.Shape;
        var perImage = shape.Tokens * shape.Channels;
        values.Set(op.Output, [.. x.Select((element, i) =>
            element + table[(op.Rows.RowOf(i / perImage, shape.Images) * shape.Channels) + (i % shape.Channels)])]);
    }

    public static void AddTokens(AddTokensOp op, OracleValues values)
    {
        var (x, points) = (values[op.Input], values[op.Points]);
        var (images, height, width, channels) = (op.Input.Shape.Images, op.Input.Shape[1], op.Input.Shape[2], op.Input.Shape.Channels);
        int Cell(double share, int count) => (int)Math.Min(Math.Floor((float)share * count), count - 1);
        var output = (double[])x.Clone();
        foreach (var p in points.Chunk(AddTokensOp.Columns).Where(p => p.All(share => share >= 0)))
        {
            var source = (Cell(p[1], height) * width) + Cell(p[0], width);
            var target = (Cell(p[3], height) * width) + Cell(p[2], width);
            var first = images - op.Frames;
            for (var image = first + 1; image < images; image++)
            {
                for (var c = 0; c < channels; c++)
                {
                    output[(((image * height * width) + target) * channels) + c] += x[(((first * height * width) + source) * channels) + c];
                }
            }
        }

        values.Set(op.Output, output);
    }

    public static void Scale(ScaleOp op, OracleValues values)
    {
        var factor = values[op.Scalars][op.Column];
        values.Set(op.Output, [.. values[op.Input].Select(x => x * factor)]);
    }

    public static void Sinusoid(SinusoidOp op, OracleValues values)
    {
        var half = op.Dim / 2;
        var output = new List<double>();
        foreach (var t in values[op.Input])
        {
            var angles = Enumerable.Range(0, half).Select(k => t * Math.Pow(10000, -(double)k / half)).ToArray();
            output.AddRange(angles.Select(Math.Cos));
            output.AddRange(angles.Select(Math.Sin));
        }

        values.Set(op.Output, [.. output]);
    }

    public static void SelectRow(SelectRowOp op, OracleValues values)
    {
        var row = op.Index is null ? op.Row : checked((int)values[op.Index][0]);
        var length = (int)op.Output.Shape.Count;
        values.Set(op.Output, values[op.Table][(row * length)..((row + 1) * length)]);
    }

    public static void ClassToken(ClassTokenOp op, OracleValues values, OracleWeights weights)
    {
        var patches = values[op.Patches];
        var (classEmbedding, positions) = (weights.Vector(op.Class), weights.Vector(op.Positions));
        var shape = op.Output.Shape;
        var output = new double[shape.Count];
        for (var image = 0; image < shape.Images; image++)
        {
            for (var token = 0; token < shape.Tokens; token++)
            {
                for (var c = 0; c < shape.Channels; c++)
                {
                    var own = token == 0 ? classEmbedding[c] : patches[(((image * (shape.Tokens - 1)) + token - 1) * shape.Channels) + c];
                    output[(((image * shape.Tokens) + token) * shape.Channels) + c] = own + positions[(token * shape.Channels) + c];
                }
            }
        }

        values.Set(op.Output, output);
    }

    public static void JoinHalves(JoinHalvesOp op, OracleValues values)
    {
        var (shared, conditional) = (values[op.Shared], values[op.Conditional]);
        var withConditional = shared.Select((x, i) => x + conditional[i % conditional.Length]);
        values.Set(op.Output, op.Halves == 1 ? [.. withConditional] : [.. shared, .. withConditional]);
    }

    public static void Euler(EulerOp op, OracleValues values)
    {
        var (velocity, latents) = (values[op.Velocity], values[op.Latents]);
        var (sigma, next, guidance) = (values[op.Scalars][0], values[op.Scalars][1], values[op.Scalars][2]);
        values.Set(op.Output, [.. latents.Select((x, i) =>
        {
            var v = velocity.Length == latents.Length
                ? velocity[i]
                : velocity[i] + (guidance * (velocity[i + latents.Length] - velocity[i]));
            var x0 = (v * (-sigma / Math.Sqrt((sigma * sigma) + 1))) + (x / ((sigma * sigma) + 1));
            return x + ((x - x0) / sigma * (next - sigma));
        })]);
    }
}
