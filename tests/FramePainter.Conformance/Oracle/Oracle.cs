using FramePainter.Graphs;
using FramePainter.Tensors;

namespace FramePainter.Conformance;

/// <summary>
/// What every op means, in double precision and plain loops. Written from the definitions of the ops alone;
/// every backend is held to it. Values stay double between ops.
/// </summary>
internal static class Oracle
{
    /// <summary>Computes a whole graph.</summary>
    /// <param name="graph">The graph.</param>
    /// <param name="inputs">Row-major elements of every input.</param>
    /// <param name="weights">Where weights come from.</param>
    /// <param name="cancel">Looked at between ops.</param>
    /// <returns>Every value of the graph, inner ones too.</returns>
    public static Dictionary<Value, double[]> Run(
        Graph graph, IReadOnlyDictionary<Value, double[]> inputs, IWeightSource weights, CancellationToken cancel = default)
    {
        var values = new OracleValues();
        foreach (var input in graph.Inputs)
        {
            values.Set(input, inputs[input]);
        }

        var read = new OracleWeights(weights);
        foreach (var op in graph.Ops)
        {
            cancel.ThrowIfCancellationRequested();
            Run(op, values, read);
        }

        return values.All;
    }

    static void Run(Op op, OracleValues values, OracleWeights weights)
    {
        switch (op)
        {
            case LinearOp o: OracleProducts.Linear(o, values, weights); break;
            case ConvOp o: OracleProducts.Conv(o, values, weights); break;
            case TemporalConvOp o: OracleProducts.TemporalConv(o, values, weights); break;
            case GroupNormOp o: OracleNorms.GroupNorm(o, values, weights); break;
            case LayerNormOp o: OracleNorms.LayerNorm(o, values, weights); break;
            case AttentionOp o: OracleAttention.Attention(o, values); break;
            case AttentionProbabilitiesOp o: OracleAttention.Probabilities(o, values); break;
            case TemporalAttentionOp o: OracleAttention.TemporalAttention(o, values); break;
            case ActivateOp o: OraclePointwise.Activate(o, values); break;
            case BlendOp o: OraclePointwise.Blend(o, values, weights); break;
            case AddRowsOp o: OraclePointwise.AddRows(o, values); break;
            case AddTokensOp o: OraclePointwise.AddTokens(o, values); break;
            case ScaleOp o: OraclePointwise.Scale(o, values); break;
            case ControlPoolOp o: OracleControl.Pool(o, values); break;
            case ControlAlignOp o: OracleControl.Align(o, values); break;
            case SinusoidOp o: OraclePointwise.Sinusoid(o, values); break;
            case SelectRowOp o: OraclePointwise.SelectRow(o, values); break;
            case ClassTokenOp o: OraclePointwise.ClassToken(o, values, weights); break;
            case JoinHalvesOp o: OraclePointwise.JoinHalves(o, values); break;
            case EulerOp o: OraclePointwise.Euler(o, values); break;
            default: throw new NotSupportedException($"The oracle does not define {op.GetType().Name}.");
        }
    }
}

/// <summary>The elements of every value computed so far, row-major.</summary>
internal sealed class OracleValues
{
    public Dictionary<Value, double[]> All { get; } = [];

    public double[] this[Value value] => All[value];

    public void Set(Value value, double[] elements)
    {
        if (elements.LongLength != value.Shape.Count)
        {
            throw new ArgumentException($"{value} has {value.Shape.Count} elements, not {elements.LongLength}.", nameof(elements));
        }

        All[value] = elements;
    }

    /// <summary>Copies all channels of one position (counted over all images) of an operand.</summary>
    public void CopyPosition(Operand operand, int position, Span<double> destination)
    {
        var first = operand.First.Shape.Channels;
        All[operand.First].AsSpan(position * first, first).CopyTo(destination);
        if (operand.Second is { } second)
        {
            var behind = second.Shape.Channels;
            All[second].AsSpan(position * behind, behind).CopyTo(destination[first..]);
        }
    }

    /// <summary>An operand with its concatenation carried out.</summary>
    public double[] Whole(Operand operand)
    {
        var channels = operand.Channels;
        var positions = operand.First.Shape.Images * operand.First.Shape.Tokens;
        var whole = new double[positions * channels];
        for (var p = 0; p < positions; p++)
        {
            CopyPosition(operand, p, whole.AsSpan(p * channels, channels));
        }

        return whole;
    }
}
