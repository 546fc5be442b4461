using System.Numerics.Tensors;
using FramePainter.Tensors;

namespace FramePainter.Backends.Cpu.Kernels;

/// <summary>Writes a panel in the numbers that it is kept in.</summary>
internal static unsafe class PanelRecast
{
    /// <summary>The largest whole number that a weight is kept as.</summary>
    const int Largest = sbyte.MaxValue;

    /// <summary>2^−126.</summary>
    const float SmallestNormal = 1.17549435e-38f;

    /// <summary>Rounds and places all weights of a panel.</summary>
    /// <param name="panel">Its weights, [input][column].</param>
    /// <param name="matrix">Where they go.</param>
    /// <param name="number">The panel's number.</param>
    /// <param name="tensors">Names of the tensors, for errors.</param>
    /// <exception cref="CheckpointException">A weight is beyond the numbers.</exception>
    public static void Write(ReadOnlySpan<float> panel, PackedMatrix matrix, int number, string tensors)
    {
        var target = matrix.At(number, 0);
        switch (matrix.Type)
        {
            case DType.I8:
                WriteBytes(panel, matrix, number, tensors);
                break;
            case DType.BF16:
                WriteBrain(panel, matrix, (ushort*)target);
                break;
            case DType.F16:
                var largest = TensorPrimitives.MaxMagnitude(panel);
                if (float.IsFinite(largest) && !Half.IsFinite((Half)largest))
                {
                    throw new CheckpointException(
                        $"A weight of '{tensors}' is {largest}; halves reach {Half.MaxValue}. Keep the weights as stored or as bfloat16.", tensor: tensors);
                }

                HalfConversion.NarrowF16(panel, new Span<ushort>(target, panel.Length));
                break;
            default:
                throw new NotSupportedException($"Weights are not kept as {matrix.Type}.");
        }
    }

    /// <summary>Rounded to nearest even, both inputs of a pair at a time.</summary>
    static void WriteBrain(ReadOnlySpan<float> panel, PackedMatrix matrix, ushort* target)
    {
        if (matrix.WordInputs == 1)
        {
            HalfConversion.NarrowBF16(panel, new Span<ushort>(target, panel.Length));
            return;
        }

        // An odd last input has zeros beside it.
        var columns = matrix.Columns;
        Span<ushort> pair = stackalloc ushort[2 * columns];
        for (var at = 0; at < panel.Length; at += pair.Length)
        {
            var inputs = panel.Slice(at, Math.Min(pair.Length, panel.Length - at));
            pair.Clear();
            HalfConversion.NarrowBF16(inputs, pair);
            for (var c = 0; c < columns; c++)
            {
                target[at + (2 * c)] = pair[c];
                target[at + (2 * c) + 1] = pair[columns + c];
            }
        }
    }

    /// <summary>Whole numbers of the column's largest weight over 127, rounded to nearest; that quotient is the column's factor.</summary>
    static void WriteBytes(ReadOnlySpan<float> panel, PackedMatrix matrix, int number, string tensors)
    {
        var columns = matrix.Columns;
        var scales = new Span<float>(matrix.Scales(number), columns);
        for (var at = 0; at < panel.Length; at += columns)
        {
            TensorPrimitives.MaxMagnitude(scales, panel.Slice(at, columns), scales);
        }

        Span<float> inverse = stackalloc float[columns];
        for (var c = 0; c < columns; c++)
        {
            var largest = MathF.Abs(scales[c]);
            if (!float.IsFinite(largest))
            {
                throw new CheckpointException($"'{tensors}' has a weight of {largest}; only finite ones can be kept as Int8.", tensor: tensors);
            }

            // A column of nothing but subnormal weights becomes zeros: its factor has no inverse.
            scales[c] = largest / Largest;
            inverse[c] = scales[c] < SmallestNormal ? 0 : 1 / scales[c];
        }

        var target = (sbyte*)matrix.At(number, 0);
        for (var at = 0; at < panel.Length; at += columns)
        {
            for (var c = 0; c < columns; c++)
            {
                target[Place(matrix, at + c)] = (sbyte)Math.Clamp(MathF.Round(panel[at + c] * inverse[c]), -Largest, Largest);
            }
        }
    }

    /// <summary>Where element i of [input][column] lies.</summary>
    static int Place(PackedMatrix matrix, int i)
    {
        if (matrix.WordInputs == 1)
        {
            return i;
        }

        var (input, column) = Math.DivRem(i, matrix.Columns);
        return (((input / 2 * matrix.Columns) + column) * 2) + (input % 2);
    }
}
