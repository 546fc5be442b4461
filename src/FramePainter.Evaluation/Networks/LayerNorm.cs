using System.Numerics.Tensors;

namespace FramePainter.Evaluation.Networks;

/// <summary>Rows brought to mean 0 and variance 1, then scaled and shifted by channel.</summary>
sealed class LayerNorm(TensorFiles weights, string name, int width)
{
    // CLIP's.
    const float Epsilon = 1e-5f;

    readonly float[] _scale = weights.Read(name + ".weight", width);
    readonly float[] _shift = weights.Read(name + ".bias", width);

    /// <summary>Normalises rows into a new array.</summary>
    public float[] Run(ReadOnlySpan<float> rows)
    {
        var result = new float[rows.Length];
        for (var first = 0; first < rows.Length; first += _scale.Length)
        {
            var row = result.AsSpan(first, _scale.Length);
            var values = rows.Slice(first, _scale.Length);
            TensorPrimitives.Subtract(values, TensorPrimitives.Sum(values) / _scale.Length, row);
            var variance = TensorPrimitives.SumOfSquares<float>(row) / _scale.Length;
            TensorPrimitives.Multiply(row, 1 / MathF.Sqrt(variance + Epsilon), row);
            TensorPrimitives.MultiplyAdd(row, _scale, _shift, row);
        }

        return result;
    }
}
