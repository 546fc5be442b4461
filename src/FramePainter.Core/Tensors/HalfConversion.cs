using System.Numerics;
using System.Numerics.Tensors;
using System.Runtime.InteropServices;

namespace FramePainter.Tensors;

/// <summary>Half and bfloat16 to float and back, over spans.</summary>
public static class HalfConversion
{
    /// <summary>Widens IEEE halves (as raw bits) to float; exact, NaN payloads included.</summary>
    /// <param name="source">Halves as bits.</param>
    /// <param name="destination">Receives as many floats; must not overlap the source.</param>
    public static void WidenF16(ReadOnlySpan<ushort> source, Span<float> destination) =>
        TensorPrimitives.ConvertToSingle(MemoryMarshal.Cast<ushort, Half>(source), destination);

    /// <summary>Rounds floats to IEEE halves, to nearest even; overflow gives infinity.</summary>
    /// <param name="source">Floats.</param>
    /// <param name="destination">Receives as many halves as bits.</param>
    public static void NarrowF16(ReadOnlySpan<float> source, Span<ushort> destination) =>
        TensorPrimitives.ConvertToHalf(source, MemoryMarshal.Cast<ushort, Half>(destination));

    /// <summary>Widens bfloat16 (as raw bits) to float; exact.</summary>
    /// <param name="source">Upper halves of floats.</param>
    /// <param name="destination">Receives as many floats; must not overlap the source.</param>
    public static void WidenBF16(ReadOnlySpan<ushort> source, Span<float> destination)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(destination.Length, source.Length, nameof(destination));
        var i = 0;
        for (; i <= source.Length - Vector<ushort>.Count; i += Vector<ushort>.Count)
        {
            Vector.Widen(new Vector<ushort>(source[i..]), out var low, out var high);
            Vector.AsVectorSingle(low << 16).CopyTo(destination[i..]);
            Vector.AsVectorSingle(high << 16).CopyTo(destination[(i + Vector<uint>.Count)..]);
        }

        for (; i < source.Length; i++)
        {
            destination[i] = BitConverter.UInt32BitsToSingle((uint)source[i] << 16);
        }
    }

    /// <summary>Rounds floats to bfloat16, to nearest even; NaN stays NaN.</summary>
    /// <param name="source">Floats.</param>
    /// <param name="destination">Receives as many bfloat16 as bits.</param>
    public static void NarrowBF16(ReadOnlySpan<float> source, Span<ushort> destination)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(destination.Length, source.Length, nameof(destination));
        var i = 0;
        for (; i <= source.Length - Vector<ushort>.Count; i += Vector<ushort>.Count)
        {
            Vector.Narrow(Narrow(new Vector<float>(source[i..])), Narrow(new Vector<float>(source[(i + Vector<float>.Count)..]))).CopyTo(destination[i..]);
        }

        for (; i < source.Length; i++)
        {
            destination[i] = NarrowBF16(source[i]);
        }

        static Vector<uint> Narrow(Vector<float> values)
        {
            var bits = Vector.AsVectorUInt32(values);
            var high = bits >>> 16;
            var rounded = (bits + new Vector<uint>(0x7FFF) + (high & Vector<uint>.One)) >>> 16;
            return Vector.ConditionalSelect(Vector.AsVectorUInt32(Vector.Equals(values, values)), rounded, high | new Vector<uint>(0x40));
        }
    }

    /// <summary>Rounds one float to bfloat16, to nearest even; NaN stays NaN.</summary>
    /// <param name="value">The float.</param>
    public static ushort NarrowBF16(float value)
    {
        var bits = BitConverter.SingleToUInt32Bits(value);
        return float.IsNaN(value)
            ? (ushort)((bits >> 16) | 0x40)
            : (ushort)((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16);
    }
}
