using System.Collections.Immutable;
using System.Globalization;
using System.Numerics.Tensors;
using FramePainter.Tensors;

namespace FramePainter.Graphs;

/// <summary>How several tensors make one matrix.</summary>
public enum MatrixJoin
{
    /// <summary>Stacked along the outputs: fused projections of one input (queries, keys, values).</summary>
    Outputs,

    /// <summary>Stacked along the inputs: one projection of concatenated inputs (self and matching heads).</summary>
    Inputs,
}

/// <summary>
/// A weight matrix as the network sees it, made of one or more tensors of the checkpoint.
/// Each tensor is PyTorch-shaped <c>[outputs, inputs, taps...]</c>: linear <c>[N, K]</c>, 3×3 convolution <c>[N, K, 3, 3]</c>, temporal convolution <c>[N, K, 3, 1, 1]</c>, 1×1 convolution <c>[N, K, 1, 1]</c>.
/// </summary>
public sealed record WeightMatrix
{
    /// <summary>The tensors, joined in this order; all have the same extent on the other axis.</summary>
    public required ImmutableArray<string> Tensors { get; init; }

    /// <summary>How the tensors are joined.</summary>
    public MatrixJoin Join { get; init; }

    /// <summary>Outputs of the whole matrix after joining and slicing.</summary>
    public required int Outputs { get; init; }

    /// <summary>Inputs of the whole matrix after joining and slicing.</summary>
    public required int Inputs { get; init; }

    /// <summary>Kernel positions: 1 for linear, height·width (row-major) or 3 over time for convolutions.</summary>
    public int Taps { get; init; } = 1;

    /// <summary>First output taken of a single tensor that has more of them.</summary>
    public int FirstOutput { get; init; }

    /// <summary>First input taken of a single tensor that has more of them.</summary>
    public int FirstInput { get; init; }

    /// <summary>Text that is equal exactly for equal matrices: packed weights are shared by it.</summary>
    public string Key => string.Create(CultureInfo.InvariantCulture, $"{string.Join('|', Tensors)}:{Join}:{Outputs}+{FirstOutput}x{Inputs}+{FirstInput}x{Taps}");

    /// <summary>A matrix that is one whole tensor.</summary>
    /// <param name="tensor">The tensor's prefixed name.</param>
    /// <param name="outputs">Its outputs.</param>
    /// <param name="inputs">Its inputs.</param>
    /// <param name="taps">Its kernel positions.</param>
    public static WeightMatrix Of(string tensor, int outputs, int inputs, int taps = 1) =>
        new() { Tensors = [tensor], Outputs = outputs, Inputs = inputs, Taps = taps };
}

/// <summary>How several tensors make one vector.</summary>
public enum VectorJoin
{
    /// <summary>One behind the other.</summary>
    Concatenate,

    /// <summary>Added element by element.</summary>
    Sum,
}

/// <summary>A bias, scale or shift made of one or more tensors of the checkpoint, each read as one flat vector.</summary>
public sealed record WeightVector
{
    /// <summary>The tensors, joined in this order.</summary>
    public required ImmutableArray<string> Tensors { get; init; }

    /// <summary>How the tensors are joined.</summary>
    public VectorJoin Join { get; init; }

    /// <summary>Elements after joining and slicing.</summary>
    public required int Count { get; init; }

    /// <summary>First element taken of a single tensor that has more of them.</summary>
    public int First { get; init; }

    /// <summary>Text that is equal exactly for equal vectors.</summary>
    public string Key => string.Create(CultureInfo.InvariantCulture, $"{string.Join('|', Tensors)}:{Join}:{Count}+{First}");

    /// <summary>A vector that is one whole tensor.</summary>
    /// <param name="tensor">The tensor's prefixed name.</param>
    /// <param name="count">Its elements.</param>
    public static WeightVector Of(string tensor, int count) => new() { Tensors = [tensor], Count = count };

    /// <summary>Reads the vector: what every backend does.</summary>
    /// <param name="source">Where its tensors come from.</param>
    /// <returns>Its <see cref="Count"/> elements.</returns>
    /// <exception cref="CheckpointException">A tensor is missing, or they do not make the vector.</exception>
    public float[] Load(IWeightSource source)
    {
        ArgumentNullException.ThrowIfNull(source);
        var (values, part) = (new float[Count], new float[Count]);
        var at = 0;
        foreach (var name in Tensors)
        {
            using var handle = source.Open(name);
            var view = handle.View;
            var whole = Join == VectorJoin.Sum || Tensors.Length == 1;
            var (first, count) = whole ? (First, Count) : (0, view.Shape.Count);
            if (first + count > view.Shape.Count || at + count > Count)
            {
                throw new CheckpointException(
                    $"Tensor '{name}' has the shape {view.Shape}; elements {first} to {first + count} of it do not make {Count}. The checkpoint is of another model or damaged.", tensor: name);
            }

            var taken = part.AsSpan(0, (int)count);
            view.CopyTo(first, taken);
            var place = values.AsSpan(at, taken.Length);
            TensorPrimitives.Add(place, taken, place);
            at += whole ? 0 : taken.Length;
        }

        if (Join == VectorJoin.Concatenate && Tensors.Length > 1 && at != Count)
        {
            throw new CheckpointException($"Tensors '{string.Join("', '", Tensors)}' have {at} elements together; expected were {Count}.", tensor: Tensors[0]);
        }

        return values;
    }
}

/// <summary>
/// A factor that is known once weights are bound: <c>Constant + Slope·sigmoid(mix)</c>, where mix is a learned scalar (<c>mix_factor</c>).
/// Blends of the spatial and the temporal branch are made of these.
/// </summary>
/// <param name="Constant">The part that is always there.</param>
/// <param name="Slope">The part that goes with the sigmoid.</param>
/// <param name="Mix">Prefixed name of the scalar tensor; null when <paramref name="Slope"/> is 0.</param>
public readonly record struct MixScale(float Constant, float Slope = 0, string? Mix = null)
{
    /// <summary>Exactly one.</summary>
    public static readonly MixScale One = new(1);

    /// <summary>sigmoid(mix).</summary>
    /// <param name="mix">Prefixed name of the scalar tensor.</param>
    public static MixScale Alpha(string mix) => new(0, 1, mix);

    /// <summary>1 − sigmoid(mix).</summary>
    /// <param name="mix">Prefixed name of the scalar tensor.</param>
    public static MixScale OneMinusAlpha(string mix) => new(1, -1, mix);

    /// <summary>The factor for a given mix.</summary>
    /// <param name="mix">The scalar's value; not looked at when <see cref="Slope"/> is 0.</param>
    public float Evaluate(float mix) => Slope == 0 ? Constant : Constant + (Slope * (1 / (1 + MathF.Exp(-mix))));

    /// <summary>The product, where it is of this form: one of both is a plain constant.</summary>
    internal MixScale? Times(MixScale other) =>
        Slope == 0 ? new MixScale(Constant * other.Constant, Constant * other.Slope, Constant == 0 ? null : other.Mix)
        : other.Slope == 0 ? other.Times(this)
        : null;

    /// <summary>The sum, where it is of this form: both hang on the same scalar, or one is constant.</summary>
    internal MixScale? Plus(MixScale other)
    {
        if (Slope != 0 && other.Slope != 0 && Mix != other.Mix)
        {
            return null;
        }

        var slope = Slope + other.Slope;
        return new MixScale(Constant + other.Constant, slope, slope == 0 ? null : Mix ?? other.Mix);
    }
}
