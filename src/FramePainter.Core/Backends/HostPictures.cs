namespace FramePainter.Backends;

/// <summary>Between 8-bit pictures and floats on the processor: what a device does that has no way of its own, and what any other does bit for bit.</summary>
public static class HostPictures
{
    const int Channels = 3;

    /// <summary>Positions that are converted at a time: their floats stay in the processor's caches.</summary>
    const int Piece = 1 << 14;

    /// <summary>Writes a picture to a buffer, piece by piece: see <see cref="IDeviceBuffer.WritePicture"/>.</summary>
    /// <param name="buffer">The buffer.</param>
    /// <param name="pixels">Numbers, [positions, 3].</param>
    /// <param name="values">What each of the 256 numbers becomes.</param>
    /// <param name="noise">Noise, [3, positions]; empty for none.</param>
    /// <param name="strength">What noise is multiplied by.</param>
    /// <exception cref="ArgumentException">Sizes do not belong together.</exception>
    public static void Write(IDeviceBuffer buffer, ReadOnlySpan<byte> pixels, ReadOnlySpan<float> values, ReadOnlySpan<float> noise, float strength)
    {
        ArgumentNullException.ThrowIfNull(buffer);
        Check(pixels, values, noise);
        var floats = new float[Math.Min(pixels.Length, Piece * Channels)];
        for (var at = 0; at < pixels.Length; at += floats.Length)
        {
            var part = pixels.Slice(at, Math.Min(floats.Length, pixels.Length - at));
            for (var i = 0; i < part.Length; i++)
            {
                floats[i] = values[part[i]];
            }

            for (var c = 0; c < Channels && !noise.IsEmpty; c++)
            {
                var plane = noise.Slice((c * (pixels.Length / Channels)) + (at / Channels), part.Length / Channels);
                for (var p = 0; p < plane.Length; p++)
                {
                    floats[(p * Channels) + c] += strength * plane[p];
                }
            }

            buffer.Write(floats.AsSpan(0, part.Length), (long)at * sizeof(float));
        }
    }

    /// <summary>Reads a picture from a buffer, piece by piece: see <see cref="IDeviceBuffer.ReadPicture"/>.</summary>
    /// <param name="buffer">The buffer.</param>
    /// <param name="pixels">Receives the numbers.</param>
    /// <param name="byteOffset">Where the floats come from.</param>
    /// <returns>Which float is no number, the first of them; −1 where all are.</returns>
    public static int Read(IDeviceBuffer buffer, Span<byte> pixels, long byteOffset)
    {
        ArgumentNullException.ThrowIfNull(buffer);
        var floats = new float[Math.Min(pixels.Length, Piece * Channels)];
        for (var at = 0; at < pixels.Length; at += floats.Length)
        {
            var part = floats.AsSpan(0, Math.Min(floats.Length, pixels.Length - at));
            buffer.Read(part, byteOffset + ((long)at * sizeof(float)));
            for (var i = 0; i < part.Length; i++)
            {
                var unit = (part[i] / 2) + 0.5f;
                if (float.IsNaN(unit))
                {
                    return at + i;
                }

                pixels[at + i] = (byte)MathF.Round(Math.Clamp(unit, 0f, 1f) * 255f, MidpointRounding.ToEven);
            }
        }

        return -1;
    }

    /// <summary>Checks the sizes of a picture that is written.</summary>
    /// <param name="pixels">Numbers, [positions, 3].</param>
    /// <param name="values">What each of the 256 numbers becomes.</param>
    /// <param name="noise">Noise, [3, positions]; empty for none.</param>
    /// <exception cref="ArgumentException">They do not belong together.</exception>
    public static void Check(ReadOnlySpan<byte> pixels, ReadOnlySpan<float> values, ReadOnlySpan<float> noise)
    {
        if (pixels.Length % Channels != 0 || values.Length != 256 || (!noise.IsEmpty && noise.Length != pixels.Length))
        {
            throw new ArgumentException($"A picture of {pixels.Length} numbers, with {values.Length} values for them and noise of {noise.Length} numbers: the first are of three channels, values are 256, noise is none or as much as the picture.", nameof(pixels));
        }
    }
}
