namespace FramePainter.Tensors;

/// <summary>A named tensor somewhere in memory, dense and row-major, as a file stores it. It borrows the memory: it is valid until its owner is disposed.</summary>
/// <param name="Name">The tensor's name.</param>
/// <param name="Type">Its element type.</param>
/// <param name="Shape">Its extents.</param>
/// <param name="Address">Address of the first element; any alignment.</param>
public readonly record struct TensorView(string Name, DType Type, Shape Shape, nint Address)
{
    /// <summary>Size in bytes.</summary>
    public long Bytes => Shape.Count * Type.Size();

    /// <summary>Copies elements out, widened to float.</summary>
    /// <param name="first">Index of the first element, in row-major order.</param>
    /// <param name="destination">Receives consecutive elements.</param>
    /// <exception cref="ArgumentOutOfRangeException">The range leaves the tensor.</exception>
    /// <exception cref="NotSupportedException">The type is none of F32, F16, BF16.</exception>
    public unsafe void CopyTo(long first, Span<float> destination)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(first);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(first + destination.Length, Shape.Count, nameof(destination));
        var address = (byte*)Address + (first * Type.Size());
        switch (Type)
        {
            case DType.F32:
                new ReadOnlySpan<byte>(address, checked(destination.Length * sizeof(float)))
                    .CopyTo(System.Runtime.InteropServices.MemoryMarshal.AsBytes(destination));
                break;
            case DType.F16:
                HalfConversion.WidenF16(new ReadOnlySpan<ushort>(address, destination.Length), destination);
                break;
            case DType.BF16:
                HalfConversion.WidenBF16(new ReadOnlySpan<ushort>(address, destination.Length), destination);
                break;
            default:
                throw new NotSupportedException($"Tensor '{Name}' holds {Type}; weights are F32, F16 or BF16.");
        }
    }

    /// <summary>All elements, widened to float.</summary>
    public float[] ToArray()
    {
        var values = new float[checked((int)Shape.Count)];
        CopyTo(0, values);
        return values;
    }
}
