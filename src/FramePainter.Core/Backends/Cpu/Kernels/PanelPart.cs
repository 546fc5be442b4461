using FramePainter.Graphs;
using FramePainter.Tensors;

namespace FramePainter.Backends.Cpu.Kernels;

/// <summary>Which part of a tensor goes where in a joined matrix.</summary>
/// <param name="Outputs">Outputs taken.</param>
/// <param name="Inputs">Inputs taken.</param>
/// <param name="FromOutput">First of them in the tensor.</param>
/// <param name="FromInput">First of them in the tensor.</param>
/// <param name="TensorInputs">Inputs that the tensor has.</param>
/// <param name="ToOutput">First of them in the matrix.</param>
/// <param name="ToInput">First of them in the matrix.</param>
internal readonly record struct PanelPart(int Outputs, int Inputs, int FromOutput, int FromInput, int TensorInputs, int ToOutput, int ToInput)
{
    /// <summary>Places a tensor behind those placed before, after a look at its shape.</summary>
    /// <param name="view">The tensor.</param>
    /// <param name="matrix">The matrix it belongs to.</param>
    /// <param name="output">Outputs placed before.</param>
    /// <param name="input">Inputs placed before.</param>
    /// <exception cref="CheckpointException">The shape does not fit.</exception>
    public static PanelPart Of(TensorView view, WeightMatrix matrix, int output, int input)
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
        if (!fits)
        {
            throw new CheckpointException(
                $"Tensor '{view.Name}' has the shape {shape}; expected were {Expected(matrix, single, stacked)}. The checkpoint is of another model or damaged.",
                tensor: view.Name);
        }

        return new PanelPart(outputs, inputs, single ? matrix.FirstOutput : 0, single ? matrix.FirstInput : 0, shape[1], output, input);
    }

    /// <summary>Tensors that are stacked must fill the matrix.</summary>
    /// <exception cref="CheckpointException">They do not.</exception>
    public static void CheckComplete(WeightMatrix matrix, int outputs, int inputs)
    {
        var (found, expected, axis) = matrix.Join == MatrixJoin.Outputs ? (outputs, matrix.Outputs, "outputs") : (inputs, matrix.Inputs, "inputs");
        if (found != expected)
        {
            throw new CheckpointException(
                $"Tensors '{string.Join("', '", matrix.Tensors)}' have {found} {axis} together; expected were {expected}.", tensor: matrix.Tensors[0]);
        }
    }

    static string Expected(WeightMatrix matrix, bool single, bool stacked)
    {
        var outputs = single ? $"{matrix.FirstOutput + matrix.Outputs}" : stacked ? $"together {matrix.Outputs}" : $"{matrix.Outputs}";
        var inputs = single ? $"{matrix.FirstInput + matrix.Inputs}" : stacked ? $"{matrix.Inputs}" : $"together {matrix.Inputs}";
        return $"{outputs} outputs, {inputs} inputs and {matrix.Taps} kernel positions";
    }
}
