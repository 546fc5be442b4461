using System.Runtime.InteropServices;

namespace FramePainter.Fuzz.Targets;

/// <summary>An input read as a program: bytes, picks from short lists and floats, all of them 0 or the first once the input is used up.</summary>
internal ref struct Operands(ReadOnlySpan<byte> bytes)
{
    ReadOnlySpan<byte> _rest = bytes;

    /// <summary>Whether all bytes were taken.</summary>
    public readonly bool IsUsedUp => _rest.IsEmpty;

    /// <summary>The next byte.</summary>
    public byte Byte()
    {
        if (_rest.IsEmpty)
        {
            return 0;
        }

        var value = _rest[0];
        _rest = _rest[1..];
        return value;
    }

    /// <summary>One of the values, by the next byte.</summary>
    public T Pick<T>(params ReadOnlySpan<T> values) => values[Byte() % values.Length];

    /// <summary>A float of any bits.</summary>
    public float Single()
    {
        Span<byte> bits = [Byte(), Byte(), Byte(), Byte()];
        return MemoryMarshal.Read<float>(bits);
    }
}
