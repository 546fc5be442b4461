using FramePainter.Tensors;

namespace FramePainter.Graphs;

/// <summary>Which part of a tensor goes where in a <see cref="WeightMatrix"/>: what every backend's packing begins with.</summary>
/// <param name="Outputs">Outputs taken.</param>
/// <param name="Inputs">Inputs taken.</param>
/// <param name="FromOutput">First of them in the tensor.</param>
/// <param name="FromInput">First of them in the tensor.</param>
/// <param name="TensorInputs">Inputs that the tensor has.</param>
/// <param name="ToOutput">First of them in the matrix.</param>
/// <param name="ToInput">First of them in the matrix.</param>
public readonly record struct MatrixPart(int Outputs, int Inputs, int FromOutput, int FromInput, int TensorInputs, int ToOutput, int ToInput)
{
    /// <summary>Opens the tensors of a matrix one after the other, and says where each goes.</summary>
    /// <param name="source">Where they come from.</param>
    /// <param name="matrix">The matrix.</param>
    /// <param name="place">Told each tensor, which is open until it returns, and its part.</param>
    /// <exception cref="CheckpointException">A tensor is missing or of another shape, or together they do not fill the matrix.</exception>
    public static void Place(IWeightSource source, WeightMatrix matrix, Action<TensorView, MatrixPart> place)
    {
        ArgumentNullException.ThrowIfNull(source);
        ArgumentNullException.ThrowIfNull(matrix);
        ArgumentNullException.ThrowIfNull(place);
        var stacked = matrix.Join == MatrixJoin.Outputs;
        var (output, input) = (0, 0);
        foreach (var name in matrix.Tensors)
        {
            using var handle = source.Open(name);
            var part = Of(handle.View, matrix, output, input);
            place(handle.View, part);
            output += stacked ? part.Outputs : 0;
            input += stacked ? 0 : part.Inputs;
        }

        var (found, expected, axis) = stacked ? (output, matrix.Outputs, "outputs") : (input, matrix.Inputs, "inputs");
        if (found != expected)
        {
            throw new CheckpointException(
                $"Tensors '{string.Join("', '", matrix.Tensors)}' have {found} {axis} together; expected were {expected}.", tensor: matrix.Tensors[0]);
        }
    }

    /// <summary>The type of all tensors of a matrix, F32 where they differ.</summary>
    /// <param name="source">Where they come from.</param>
    /// <param name="matrix">The matrix, of at least one tensor.</param>
    /// <exception cref="CheckpointException">A tensor is missing or holds no weights.</exception>
    public static DType TypeOf(IWeightSource source, WeightMatrix matrix)
    {
        ArgumentNullException.ThrowIfNull(source);
        ArgumentNullException.ThrowIfNull(matrix);
        DType? common = null;
        foreach (var name in matrix.Tensors)
        {
            var type = source.Describe(name).Type;
            if (!type.IsWeight())
            {
                throw new CheckpointException($"Tensor '{name}' holds {type}; weights are F32, F16 or BF16.", tensor: name);
            }

            common = common is null || common == type ? type : DType.F32;
        }

        return common ?? throw new ArgumentException("A matrix has at least one tensor.", nameof(matrix));
    }

    /// <summary>Places a tensor behind those placed before, after a look at its shape.</summary>
    static MatrixPart Of(TensorView view, WeightMatrix matrix, int output, int input)
    {
        var shape = view.Shape;
        long taps = 1;
        for (var axis = 2; axis < shape.Rank; axis++)
        {
            taps *= shape[axis];
        }

        var single = matrix.Tensors.Length == 1;
        var stacked = matrix.Join == MatrixJoin.Outputs;
        var outputs = single || !stacked ? matrix.Outputs : shape.Rank > 0 ? shape[0] : 0;
        var inputs = single || stacked ? matrix.Inputs : shape.Rank > 1 ? shape[1] : 0;
        var fits = shape.Rank >= 2 && taps == matrix.Taps && (single
            ? shape[0] >= matrix.FirstOutput + outputs && shape[1] >= matrix.FirstInput + inputs
            : shape[0] == outputs && shape[1] == inputs && output + outputs <= matrix.Outputs && input + inputs <= matrix.Inputs);
        return fits
            ? new MatrixPart(outputs, inputs, single ? matrix.FirstOutput : 0, single ? matrix.FirstInput : 0, shape[1], output, input)
            : throw new CheckpointException(
                $"Tensor '{view.Name}' has the shape {shape}; expected were {Expected(matrix, single, stacked)}. The checkpoint is of another model or damaged.",
                tensor: view.Name);
    }

    static string Expected(WeightMatrix matrix, bool single, bool stacked)
    {
        var outputs = single ? $"{matrix.FirstOutput + matrix.Outputs}" : stacked ? $"together {matrix.Outputs}" : $"{matrix.Outputs}";
        var inputs = single ? $"{matrix.FirstInput + matrix.Inputs}" : stacked ? $"{matrix.Inputs}" : $"together {matrix.Inputs}";
        return $"{outputs} outputs, {inputs} inputs and {matrix.Taps} kernel positions";
    }
}
