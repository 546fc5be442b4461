namespace FramePainter.Backends.Cpu.Simd;

/// <summary>Part of a register to and from memory.</summary>
internal static unsafe class Parts
{
    /// <summary>Copies floats and fills up with zeros.</summary>
    public static void Copy(float* source, float* destination, int count, int filled)
    {
        for (var i = 0; i < count; i++)
        {
            destination[i] = source[i];
        }

        for (var i = count; i < filled; i++)
        {
            destination[i] = 0;
        }
    }
}

/// <summary>
/// Widening of IEEE halves by integer shift and one multiplication: the bits, moved to a float's place, are the value divided by 2^112,
/// subnormals included. Only infinities and NaN come out finite, from 65536 up, and get their exponent set.
/// </summary>
internal static class F16
{
    /// <summary>Sign and magnitude after a sign-extended half was shifted up by 13.</summary>
    public const int KeepMask = unchecked((int)0x8FFF_E000);

    /// <summary>All exponent bits of a float.</summary>
    public const int Exponent = 0x7F80_0000;

    /// <summary>2^112: the difference of both exponent biases.</summary>
    public const float Rebias = 5.192296858534828e33f;

    /// <summary>The first value that no finite half has.</summary>
    public const float Beyond = 65536;
}
