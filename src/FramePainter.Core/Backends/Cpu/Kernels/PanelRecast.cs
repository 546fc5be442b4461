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

    /// <summary>Rounded to nearest even.</summary>
    static void WriteBrain(ReadOnlySpan<float> panel, PackedMatrix matrix, ushort* target)
    {
        Span<ushort> word = stackalloc ushort[matrix.WordInputs * matrix.Columns];
        for (var at = 0; at < panel.Length; at += word.Length)
        {
            word.Clear();
            HalfConversion.NarrowBF16(panel.Slice(at, Math.Min(word.Length, panel.Length - at)), word);
            Lay<ushort>(word, matrix.Columns, target + at);
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
        Span<sbyte> word = stackalloc sbyte[matrix.WordInputs * columns];
        for (var at = 0; at < panel.Length; at += word.Length)
        {
            word.Clear();
            var inputs = panel.Slice(at, Math.Min(word.Length, panel.Length - at));
            for (var i = 0; i < inputs.Length; i++)
            {
                word[i] = (sbyte)Math.Clamp(MathF.Round(inputs[i] * inverse[i % columns]), -Largest, Largest);
            }

            Lay<sbyte>(word, columns, target + at);
        }
    }

    /// <summary>Lays the inputs of a word, [input][column], side by side in their columns. An odd last input has zeros beside it.</summary>
    static void Lay<T>(ReadOnlySpan<T> word, int columns, T* target)
        where T : unmanaged
    {
        var inputs = word.Length / columns;
        for (var c = 0; c < columns; c++)
        {
            for (var input = 0; input < inputs; input++)
            {
                target[(c * inputs) + input] = word[(input * columns) + c];
            }
        }
    }
}
