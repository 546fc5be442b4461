using FramePainter.Graphs;
using FramePainter.Tensors;

namespace FramePainter.Ilgpu;

/// <summary>Which part of a tensor goes where in a joined matrix.</summary>
/// <param name="Outputs">Outputs taken.</param>
/// <param name="Inputs">Inputs taken.</param>
/// <param name="FromOutput">First output taken of the tensor.</param>
/// <param name="FromInput">First input taken of the tensor.</param>
/// <param name="TensorInputs">Inputs that the tensor has.</param>
/// <param name="ToOutput">Where its outputs begin in the matrix.</param>
/// <param name="ToInput">Where its inputs begin in the matrix.</param>
internal readonly record struct MatrixPart(int Outputs, int Inputs, int FromOutput, int FromInput, int TensorInputs, int ToOutput, int ToInput)
{
    /// <summary>Places a tensor behind those before it.</summary>
    /// <param name="view">The tensor.</param>
    /// <param name="matrix">The matrix.</param>
    /// <param name="output">Outputs placed before.</param>
    /// <param name="input">Inputs placed before.</param>
    /// <exception cref="CheckpointException">Its shape does not fit.</exception>
    public static MatrixPart Of(TensorView view, WeightMatrix matrix, int output, int input)
    {
        var shape = view.Shape;
        var (rows, columns) = shape.Rank >= 2 ? (shape[0], shape[1]) : (0, 0);
        var fits = shape.Rank >= 2 && rows > 0 && columns > 0 && shape.Count / rows / columns == matrix.Taps;
        var part = matrix.Tensors.Length == 1
            ? new MatrixPart(matrix.Outputs, matrix.Inputs, matrix.FirstOutput, matrix.FirstInput, columns, 0, 0)
            : new MatrixPart(rows, columns, 0, 0, columns, output, input);
        fits &= part.FromOutput + part.Outputs <= rows && part.FromInput + part.Inputs <= columns
            && part.ToOutput + part.Outputs <= matrix.Outputs && part.ToInput + part.Inputs <= matrix.Inputs
            && (matrix.Join == MatrixJoin.Outputs ? part.Inputs == matrix.Inputs : part.Outputs == matrix.Outputs);
        return fits
            ? part
            : throw new CheckpointException(
                $"Tensor '{view.Name}' has the shape {shape}, which does not fit a matrix of {matrix.Outputs} outputs, {matrix.Inputs} inputs and {matrix.Taps} kernel positions ({matrix.Key}). The checkpoint is of another model or damaged.",
                tensor: view.Name);
    }

    /// <summary>Joined tensors must fill the matrix.</summary>
    /// <exception cref="CheckpointException">They do not.</exception>
    public static void CheckComplete(WeightMatrix matrix, int outputs, int inputs)
    {
        if (matrix.Tensors.Length > 1 && (matrix.Join == MatrixJoin.Outputs ? outputs != matrix.Outputs : inputs != matrix.Inputs))
        {
            throw new CheckpointException(
                $"Tensors '{string.Join("', '", matrix.Tensors)}' have {outputs} outputs and {inputs} inputs together; expected were {matrix.Outputs} and {matrix.Inputs}.",
                tensor: matrix.Tensors[0]);
        }
    }
}
