using System.Numerics.Tensors;

namespace FramePainter.Evaluation.Networks;

/// <summary>One transformer layer of CLIP's vision tower: attention, then the perceptron, each behind a norm and added to the tokens.</summary>
sealed class ClipLayer
{
    const int Head = 64;

    readonly int _width;
    readonly LayerNorm _norm1;
    readonly LayerNorm _norm2;
    readonly PackedMatrix _query;
    readonly PackedMatrix _key;
    readonly PackedMatrix _value;
    readonly PackedMatrix _output;
    readonly PackedMatrix _expand;
    readonly PackedMatrix _contract;

    public ClipLayer(TensorFiles weights, string name, int width)
    {
        _width = width;
        _norm1 = new LayerNorm(weights, name + "layer_norm1", width);
        _norm2 = new LayerNorm(weights, name + "layer_norm2", width);
        (_query, _key, _value, _output) = (Linear("self_attn.q_proj", width, width), Linear("self_attn.k_proj", width, width), Linear("self_attn.v_proj", width, width), Linear("self_attn.out_proj", width, width));
        (_expand, _contract) = (Linear("mlp.fc1", 4 * width, width), Linear("mlp.fc2", width, 4 * width));

        PackedMatrix Linear(string layer, int outputs, int inputs) =>
            new(weights.Read($"{name}{layer}.weight", outputs, inputs), weights.Read($"{name}{layer}.bias", outputs), outputs, inputs);
    }

    /// <summary>Changes the tokens in place.</summary>
    public void Run(float[] tokens, CancellationToken cancel)
    {
        var x = _norm1.Run(tokens);
        var attended = Attend(_query.Multiply(x, cancel), _key.Multiply(x, cancel), _value.Multiply(x, cancel));
        TensorPrimitives.Add(tokens, _output.Multiply(attended, cancel), tokens);

        var inner = _expand.Multiply(_norm2.Run(tokens), cancel);
        QuickGelu(inner);
        TensorPrimitives.Add(tokens, _contract.Multiply(inner, cancel), tokens);
    }

    // x·σ(1.702x), the approximation that OpenAI's CLIP was trained with.
    static void QuickGelu(Span<float> values)
    {
        var gates = new float[values.Length];
        TensorPrimitives.Multiply(values, 1.702f, gates);
        TensorPrimitives.Sigmoid<float>(gates, gates);
        TensorPrimitives.Multiply(values, gates, values);
    }

    float[] Attend(float[] query, float[] key, float[] value)
    {
        var count = query.Length / _width;
        var result = new float[query.Length];
        var weights = new float[count];
        for (var at = 0; at < query.Length; at += Head)
        {
            var channel = at % _width;
            for (var t = 0; t < count; t++)
            {
                weights[t] = TensorPrimitives.Dot(query.AsSpan(at, Head), key.AsSpan((t * _width) + channel, Head)) / MathF.Sqrt(Head);
            }

            TensorPrimitives.SoftMax<float>(weights, weights);
            var sum = result.AsSpan(at, Head);
            for (var t = 0; t < count; t++)
            {
                TensorPrimitives.MultiplyAdd(value.AsSpan((t * _width) + channel, Head), weights[t], sum, sum);
            }
        }

        return result;
    }
}
