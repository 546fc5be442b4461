namespace FramePainter.Pipeline;

/// <summary>What each 8-bit value becomes as a float, rounded in the order of the original's float32 arithmetic.</summary>
static class PixelValues
{
    /// <summary>v/255: 0 to 1.</summary>
    public static readonly float[] Unit = Table(v => v / 255f);

    /// <summary>2(v/255) − 1: −1 to 1.</summary>
    public static readonly float[] Signed = Table(v => (2f * (v / 255f)) - 1f);

    static float[] Table(Func<byte, float> entry)
    {
        var table = new float[256];
        for (var v = 0; v < table.Length; v++)
        {
            table[v] = entry((byte)v);
        }

        return table;
    }
}
