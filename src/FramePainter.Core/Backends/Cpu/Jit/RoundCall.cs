using System.Runtime.InteropServices;

namespace FramePainter.Backends.Cpu.Jit;

/// <summary>What the kernel that rounds rows to bfloat16 is called with. It reads it field by field, hence the fixed offsets.</summary>
[StructLayout(LayoutKind.Explicit, Size = 40)]
internal unsafe struct RoundCall
{
    /// <summary>The first row's floats, two for each pair.</summary>
    [FieldOffset(0)]
    public float* Source;

    /// <summary>Receives the first row's pairs.</summary>
    [FieldOffset(8)]
    public float* Destination;

    /// <summary>Bytes from one row of floats to the next.</summary>
    [FieldOffset(16)]
    public long SourceDistance;

    /// <summary>Bytes from one row of pairs to the next.</summary>
    [FieldOffset(24)]
    public long DestinationDistance;

    /// <summary>Rows that are left, at least 1.</summary>
    [FieldOffset(32)]
    public int Rows;

    /// <summary>Pairs of a row, at least 1.</summary>
    [FieldOffset(36)]
    public int Pairs;
}
