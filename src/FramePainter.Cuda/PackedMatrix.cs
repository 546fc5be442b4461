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

    /// <summary>Rows that a thread packs at a time: some tens of thousands of weights.</summary>
    const int BlockRows = 32;

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
        _ = MatrixPart.TypeOf(source, matrix);
        var packed = new ushort[Elements(matrix, form)];
        MatrixPart.Place(source, matrix, (view, part) => Parallel.For(0, (part.Outputs + BlockRows - 1) / BlockRows, block =>
        {
            var first = block * BlockRows;
            Pack(view, matrix, part, form, halves, packed, first, Math.Min(first + BlockRows, part.Outputs));
        }));
        return packed;
    }

    /// <summary>Some rows of a tensor: no two blocks of them write the same element.</summary>
    static void Pack(TensorView view, WeightMatrix matrix, MatrixPart part, MatrixForm form, Halves halves, ushort[] packed, int first, int end)
    {
        var (corner, taps) = (MatrixForms.IsCorner(form), TapsOf(matrix, form));
        var (length, inputs) = (RowLength(matrix.Inputs * taps), part.Inputs);
        var line = new float[inputs * matrix.Taps];
        var byTap = matrix.Taps == 1 ? line : new float[inputs * taps];
        for (var o = first; o < end; o++)
        {
            view.CopyTo((((long)(part.FromOutput + o) * part.TensorInputs) + part.FromInput) * matrix.Taps, line);
            if (matrix.Taps > 1)
            {
                Array.Clear(byTap);
                for (var tap = 0; tap < matrix.Taps; tap++)
                {
                    var to = byTap.AsSpan((corner ? MatrixForms.TapOf(form, tap) : tap) * inputs, inputs);
                    for (var i = 0; i < to.Length; i++)
                    {
                        var weight = line[(i * matrix.Taps) + tap];
                        to[i] = corner ? to[i] + weight : weight;
                    }
                }
            }

            var row = packed.AsSpan(RowOf(matrix, part.ToOutput + o, form == MatrixForm.Gated) * length, length);
            for (var tap = 0; tap < taps; tap++)
            {
                halves.Round(byTap.AsSpan(tap * inputs, inputs), row.Slice((tap * matrix.Inputs) + part.ToInput, inputs));
            }
        }
    }

    static int TapsOf(WeightMatrix matrix, MatrixForm form) => MatrixForms.IsCorner(form) ? 4 : matrix.Taps;

    static int RowOf(WeightMatrix matrix, int output, bool gated)
    {
        var half = matrix.Outputs / 2;
        return !gated ? output : output < half ? 2 * output : (2 * (output - half)) + 1;
    }
}
