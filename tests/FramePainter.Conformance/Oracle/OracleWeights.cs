using FramePainter.Graphs;
using FramePainter.Tensors;

namespace FramePainter.Conformance;

/// <summary>Weights put together as <see cref="WeightMatrix"/> and <see cref="WeightVector"/> say, widened to double.</summary>
internal sealed class OracleWeights(IWeightSource source)
{
    /// <summary>A matrix as <c>[output][tap·Inputs + input]</c>.</summary>
    public double[][] Matrix(WeightMatrix matrix)
    {
        var rows = new double[matrix.Outputs][];
        for (var n = 0; n < rows.Length; n++)
        {
            rows[n] = new double[matrix.Taps * matrix.Inputs];
        }

        var (firstRow, firstColumn) = (0, 0);
        var single = matrix.Tensors.Length == 1;
        foreach (var name in matrix.Tensors)
        {
            var (elements, outputs, inputs) = Tensor(name, matrix.Taps);
            var (skipOutputs, skipInputs) = single ? (matrix.FirstOutput, matrix.FirstInput) : (0, 0);
            var (takeOutputs, takeInputs) = single ? (matrix.Outputs, matrix.Inputs) : (outputs, inputs);
            if (skipOutputs + takeOutputs > outputs || skipInputs + takeInputs > inputs)
            {
                throw new CheckpointException($"Tensor '{name}' of {outputs} outputs and {inputs} inputs has no part {matrix.Key}.", tensor: name);
            }

            for (var n = 0; n < takeOutputs; n++)
            {
                for (var k = 0; k < takeInputs; k++)
                {
                    for (var tap = 0; tap < matrix.Taps; tap++)
                    {
                        var at = ((((n + skipOutputs) * inputs) + k + skipInputs) * matrix.Taps) + tap;
                        rows[firstRow + n][(tap * matrix.Inputs) + firstColumn + k] = elements[at];
                    }
                }
            }

            firstRow += matrix.Join == MatrixJoin.Outputs ? takeOutputs : 0;
            firstColumn += matrix.Join == MatrixJoin.Inputs ? takeInputs : 0;
        }

        var (coveredRows, coveredColumns) = matrix.Join == MatrixJoin.Outputs ? (firstRow, matrix.Inputs) : (matrix.Outputs, firstColumn);
        return coveredRows == matrix.Outputs && coveredColumns == matrix.Inputs
            ? rows
            : throw new CheckpointException($"The tensors of {matrix.Key} cover {coveredRows} outputs and {coveredColumns} inputs.");
    }

    /// <summary>A vector.</summary>
    public double[] Vector(WeightVector vector)
    {
        var result = new double[vector.Count];
        var whole = vector.Tensors.Length == 1 || vector.Join == VectorJoin.Sum;
        var at = 0;
        foreach (var name in vector.Tensors)
        {
            var part = Elements(name);
            var (first, count) = whole ? (vector.First, vector.Count) : (0, part.Length);
            if (first + count > part.Length || at + count > result.Length)
            {
                throw new CheckpointException($"{part.Length} elements of '{name}' do not belong into {vector.Key}.", tensor: name);
            }

            for (var i = 0; i < count; i++)
            {
                result[at + i] += part[first + i];
            }

            at += whole ? 0 : count;
        }

        return whole || at == vector.Count ? result : throw new CheckpointException($"The tensors of {vector.Key} have {at} elements.");
    }

    /// <summary>A factor, its sigmoid taken in double precision.</summary>
    public double Scale(MixScale scale) =>
        scale.Mix is null ? scale.Constant : scale.Constant + (scale.Slope * OracleMath.Sigmoid(Elements(scale.Mix)[0]));

    (double[] Elements, int Outputs, int Inputs) Tensor(string name, int taps)
    {
        using var handle = source.Open(name);
        var shape = handle.View.Shape;
        var perInput = 1L;
        foreach (var extent in shape.Extents[2..])
        {
            perInput *= extent;
        }

        return perInput == taps
            ? (Widen(handle.View), shape[0], shape[1])
            : throw new CheckpointException($"Tensor '{name}' {shape} has {perInput} kernel positions, not {taps}.", tensor: name);
    }

    double[] Elements(string name)
    {
        using var handle = source.Open(name);
        return Widen(handle.View);
    }

    static double[] Widen(TensorView view) => Array.ConvertAll(view.ToArray(), x => (double)x);
}
