using FramePainter.Graphs;

namespace FramePainter.Conformance;

/// <summary>Normalisations.</summary>
internal static class OracleNorms
{
    public static void GroupNorm(GroupNormOp op, OracleValues values, OracleWeights weights)
    {
        var x = values.Whole(op.Input);
        var (gamma, beta) = (weights.Vector(op.Gamma), weights.Vector(op.Beta));
        var channels = op.Input.Channels;
        var perGroup = channels / op.Groups;
        var positions = op.Frames * op.Output.Shape.Tokens;
        var output = new double[x.Length];
        for (var set = 0; set < op.Output.Shape.Images / op.Frames; set++)
        {
            for (var group = 0; group < op.Groups; group++)
            {
                var members = new List<int>();
                for (var position = 0; position < positions; position++)
                {
                    for (var c = group * perGroup; c < (group + 1) * perGroup; c++)
                    {
                        members.Add((((set * positions) + position) * channels) + c);
                    }
                }

                var elements = members.Select(i => x[i]).ToArray();
                var mean = OracleMath.Mean(elements);
                var variance = OracleMath.SquaredDeviations(elements, mean) / elements.Length;
                foreach (var i in members)
                {
                    var c = i % channels;
                    var normal = (x[i] - mean) / Math.Sqrt(variance + op.Epsilon);
                    output[i] = OracleMath.Activate(op.Activation, (normal * gamma[c]) + beta[c]);
                }
            }
        }

        values.Set(op.Output, output);
    }

    public static void LayerNorm(LayerNormOp op, OracleValues values, OracleWeights weights)
    {
        var x = values[op.Input];
        var (gamma, beta) = (weights.Vector(op.Gamma), weights.Vector(op.Beta));
        var shape = op.Input.Shape;
        var channels = shape.Channels;
        var output = new double[x.Length];
        for (var position = 0; position < shape.Images * shape.Tokens; position++)
        {
            var elements = x[(position * channels)..((position + 1) * channels)];
            if (op.Rows is { } rows)
            {
                var row = rows.RowOf(position / shape.Tokens, shape.Images);
                var table = values[rows.Table];
                for (var c = 0; c < channels; c++)
                {
                    elements[c] += table[(row * channels) + c];
                }
            }

            var mean = OracleMath.Mean(elements);
            var variance = OracleMath.SquaredDeviations(elements, mean) / channels;
            for (var c = 0; c < channels; c++)
            {
                output[(position * channels) + c] = ((elements[c] - mean) / Math.Sqrt(variance + op.Epsilon) * gamma[c]) + beta[c];
            }
        }

        values.Set(op.Output, output);
    }
}
