using FramePainter.Graphs;
using FramePainter.Tensors;

namespace FramePainter.Cuda;

/// <summary>
/// A weight matrix as product kernels read it: halves, one row an output, <c>[tap·inputs + input]</c> along it. Rows are padded with
/// zeros to a multiple of 32 (the step of the kernels), and there are a multiple of 128 of them (the largest tile).
/// A gated matrix (GEGLU) has each gate's row behind its value's. See <see cref="MatrixForm"/> for kernels over doubled pictures.
/// </summary>
internal static class PackedMatrix
{
    const int Step = 32;
    const int Tile = 128;

    /// <summary>Elements of a padded row.</summary>
    public static int RowLength(WeightMatrix matrix) => RowLength(matrix.Inputs * matrix.Taps);

    /// <summary>Elements of a padded row of so many.</summary>
    public static int RowLength(int elements) => (elements + Step - 1) / Step * Step;

    /// <summary>Elements of a packed matrix.</summary>
    public static int Elements(WeightMatrix matrix, MatrixForm form) =>
        checked((matrix.Outputs + Tile - 1) / Tile * Tile * RowLength(matrix.Inputs * TapsOf(matrix, form)));

    /// <summary>Packs a matrix; every element, and every sum of taps, is rounded once.</summary>
    /// <exception cref="CheckpointException">A tensor's shape or type does not fit.</exception>
    public static ushort[] Pack(IWeightSource source, WeightMatrix matrix, MatrixForm form, Halves halves)
    {
        var corner = MatrixForms.IsCorner(form);
        var (gated, taps) = (form == MatrixForm.Gated, TapsOf(matrix, form));
        var length = RowLength(matrix.Inputs * taps);
        var packed = new ushort[Elements(matrix, form)];
        var (output, input) = (0, 0);
        foreach (var name in matrix.Tensors)
        {
            using var handle = source.Open(name);
            var view = handle.View;
            var single = matrix.Tensors.Length == 1;
            var (rows, columns) = Extents(view, matrix);
            var (outputs, inputs) = (single ? matrix.Outputs : rows, single ? matrix.Inputs : columns);
            var (firstOutput, firstInput) = (single ? matrix.FirstOutput : 0, single ? matrix.FirstInput : 0);
            if (firstOutput + outputs > rows || firstInput + inputs > columns || output + outputs > matrix.Outputs || input + inputs > matrix.Inputs
                || (!single && (matrix.Join == MatrixJoin.Outputs ? inputs != matrix.Inputs : outputs != matrix.Outputs)))
            {
                throw Misshaped(view, matrix);
            }

            var line = new float[inputs * matrix.Taps];
            var sums = new float[corner ? taps : 0];
            for (var o = 0; o < outputs; o++)
            {
                view.CopyTo((((long)(firstOutput + o) * columns) + firstInput) * matrix.Taps, line);
                var row = packed.AsSpan(RowOf(matrix, output + o, gated) * length, length);
                for (var i = 0; i < inputs; i++)
                {
                    var own = line.AsSpan(i * matrix.Taps, matrix.Taps);
                    if (corner)
                    {
                        Array.Clear(sums);
                        for (var tap = 0; tap < matrix.Taps; tap++)
                        {
                            sums[MatrixForms.TapOf(form, tap)] += own[tap];
                        }

                        own = sums;
                    }

                    for (var tap = 0; tap < taps; tap++)
                    {
                        row[(tap * matrix.Inputs) + input + i] = halves.Round(own[tap]);
                    }
                }
            }

            output += matrix.Join == MatrixJoin.Outputs ? outputs : 0;
            input += matrix.Join == MatrixJoin.Inputs ? inputs : 0;
        }

        if (matrix.Join == MatrixJoin.Outputs ? output != matrix.Outputs : input != matrix.Inputs)
        {
            throw new CheckpointException($"Tensors '{string.Join("', '", matrix.Tensors)}' do not fill a matrix of {matrix.Outputs} outputs and {matrix.Inputs} inputs.", tensor: matrix.Tensors[0]);
        }

        return packed;
    }

    static int TapsOf(WeightMatrix matrix, MatrixForm form) => MatrixForms.IsCorner(form) ? 4 : matrix.Taps;

    static int RowOf(WeightMatrix matrix, int output, bool gated)
    {
        var half = matrix.Outputs / 2;
        return !gated ? output : output < half ? 2 * output : (2 * (output - half)) + 1;
    }

    static (int Outputs, int Inputs) Extents(TensorView view, WeightMatrix matrix)
    {
        if (view.Type is not (DType.F32 or DType.F16 or DType.BF16))
        {
            throw new CheckpointException($"Tensor '{view.Name}' holds {view.Type}; weights are F32, F16 or BF16.", tensor: view.Name);
        }

        if (view.Shape.Rank < 2 || view.Shape.Count != (long)view.Shape[0] * view.Shape[1] * matrix.Taps)
        {
            throw Misshaped(view, matrix);
        }

        return (view.Shape[0], view.Shape[1]);
    }

    static CheckpointException Misshaped(TensorView view, WeightMatrix matrix) =>
        new($"Tensor '{view.Name}' is {view.Shape}, which does not make {matrix.Outputs} outputs of {matrix.Inputs} inputs and {matrix.Taps} taps.", tensor: view.Name);
}
