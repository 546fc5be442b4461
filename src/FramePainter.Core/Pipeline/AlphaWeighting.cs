namespace FramePainter.Pipeline;

/// <summary>Multiplies colours by alpha and divides them again, rounding as Pillow does around a resize.</summary>
static class AlphaWeighting
{
    const int Opaque = byte.MaxValue;

    /// <summary>RGBA with colours multiplied by alpha/255, rounded to nearest.</summary>
    public static byte[] Multiply(ReadOnlySpan<byte> rgba)
    {
        var result = rgba.ToArray();
        for (var i = 0; i < result.Length; i += 4)
        {
            var alpha = result[i + 3];
            for (var c = i; c < i + 3; c++)
            {
                // x/255 = (x + x/256)/256 with the halves added beforehand: exact rounding for products of two bytes.
                var product = (result[c] * alpha) + 128;
                result[c] = (byte)(((product >> 8) + product) >> 8);
            }
        }

        return result;
    }

    /// <summary>RGBA with colours divided by alpha/255, rounded down and clamped; those of opaque and of wholly transparent pixels stay.</summary>
    public static byte[] Divide(ReadOnlySpan<byte> rgba)
    {
        var result = rgba.ToArray();
        for (var i = 0; i < result.Length; i += 4)
        {
            var alpha = result[i + 3];
            if (alpha is 0 or Opaque)
            {
                continue;
            }

            for (var c = i; c < i + 3; c++)
            {
                result[c] = (byte)Math.Min(Opaque * result[c] / alpha, Opaque);
            }
        }

        return result;
    }
}
