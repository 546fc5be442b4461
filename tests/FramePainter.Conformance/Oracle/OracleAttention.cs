using FramePainter.Graphs;

namespace FramePainter.Conformance;

/// <summary>Attentions.</summary>
internal static class OracleAttention
{
    public static void Attention(AttentionOp op, OracleValues values)
    {
        var shape = op.Output.Shape;
        var output = new double[shape.Count];
        Attend(op.Self, 0);
        if (op.Matching is { } matching)
        {
            Attend(matching, op.Heads * op.HeadDim);
        }

        values.Set(op.Output, output);

        void Attend(Qkv set, int firstChannel)
        {
            var images = shape.Images;
            Parallel.For(0, images * op.Heads, job =>
            {
                var (image, head) = Math.DivRem(job, op.Heads);
                var keyImage = KeyImage(set.Key, image, images);
                var keys = set.Key.Value.Shape.Tokens;
                for (var token = 0; token < shape.Tokens; token++)
                {
                    var probabilities = Softmax(Scores(values, set.Query, set.Key, image, keyImage, token, head, op.HeadDim));
                    var sums = output.AsSpan((((image * shape.Tokens) + token) * shape.Channels) + firstChannel + (head * op.HeadDim), op.HeadDim);
                    for (var key = 0; key < keys; key++)
                    {
                        var value = Row(values, set.Value, keyImage, key, head, op.HeadDim);
                        for (var d = 0; d < value.Length; d++)
                        {
                            sums[d] += probabilities[key] * value[d];
                        }
                    }
                }
            });
        }
    }

    public static void Probabilities(AttentionProbabilitiesOp op, OracleValues values)
    {
        var (images, tokens) = (op.Query.Value.Shape.Images, op.Query.Value.Shape.Tokens);
        var keys = op.Key.Value.Shape.Tokens;
        var output = new double[op.Output.Shape.Count];
        for (var image = 0; image < images; image++)
        {
            var keyImage = KeyImage(op.Key, image, images);
            for (var head = 0; head < op.Heads; head++)
            {
                for (var token = 0; token < tokens; token++)
                {
                    Softmax(Scores(values, op.Query, op.Key, image, keyImage, token, head, op.HeadDim))
                        .CopyTo(output, ((((image * op.Heads) + head) * tokens) + token) * keys);
                }
            }
        }

        values.Set(op.Output, output);
    }

    public static void TemporalAttention(TemporalAttentionOp op, OracleValues values)
    {
        var shape = op.Output.Shape;
        var output = new double[shape.Count];
        for (var image = 0; image < shape.Images; image++)
        {
            var firstFrame = image / 2 * 2;
            for (var token = 0; token < shape.Tokens; token++)
            {
                for (var head = 0; head < op.Heads; head++)
                {
                    var scores = new double[2];
                    var query = Row(values, op.Input.Query, image, token, head, op.HeadDim);
                    for (var frame = 0; frame < 2; frame++)
                    {
                        var key = Row(values, op.Input.Key, firstFrame + frame, token, head, op.HeadDim);
                        for (var d = 0; d < op.HeadDim; d++)
                        {
                            scores[frame] += query[d] * key[d] / Math.Sqrt(op.HeadDim);
                        }
                    }

                    var probabilities = Softmax(scores);
                    var first = Row(values, op.Input.Value, firstFrame, token, head, op.HeadDim);
                    var second = Row(values, op.Input.Value, firstFrame + 1, token, head, op.HeadDim);
                    for (var d = 0; d < op.HeadDim; d++)
                    {
                        output[(((image * shape.Tokens) + token) * shape.Channels) + (head * op.HeadDim) + d] = (probabilities[0] * first[d]) + (probabilities[1] * second[d]);
                    }
                }
            }
        }

        values.Set(op.Output, output);
    }

    static int KeyImage(Channels key, int image, int images) => image * key.Value.Shape.Images / images;

    static double[] Scores(OracleValues values, Channels query, Channels key, int image, int keyImage, int token, int head, int headDim)
    {
        var scores = new double[key.Value.Shape.Tokens];
        var one = Row(values, query, image, token, head, headDim);
        for (var other = 0; other < scores.Length; other++)
        {
            var two = Row(values, key, keyImage, other, head, headDim);
            double sum = 0;
            for (var d = 0; d < one.Length; d++)
            {
                sum += one[d] * two[d];
            }

            scores[other] = sum / Math.Sqrt(headDim);
        }

        return scores;
    }

    static double[] Softmax(double[] scores)
    {
        var largest = double.NegativeInfinity;
        foreach (var score in scores)
        {
            largest = Math.Max(largest, score);
        }

        var exponentials = Array.ConvertAll(scores, score => Math.Exp(score - largest));
        var sum = exponentials.Sum();
        return Array.ConvertAll(exponentials, e => e / sum);
    }

    /// <summary>One head's channels at one position.</summary>
    static ReadOnlySpan<double> Row(OracleValues values, Channels part, int image, int token, int head, int headDim)
    {
        var shape = part.Value.Shape;
        return values[part.Value].AsSpan((((image * shape.Tokens) + token) * shape.Channels) + part.FirstChannel + (head * headDim), headDim);
    }
}
