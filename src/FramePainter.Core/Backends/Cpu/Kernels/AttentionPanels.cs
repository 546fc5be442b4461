using FramePainter.Backends.Cpu.Simd;

namespace FramePainter.Backends.Cpu.Kernels;

/// <summary>A tile of keys, and of their values, as panels of two registers' width.</summary>
internal static unsafe class AttentionPanels<L, V>
    where L : struct, ILanes<V>
    where V : struct
{
    /// <summary>Turns keys: panels [dim][width], zeros where there is no key.</summary>
    /// <param name="shape">Tile sizes.</param>
    /// <param name="key">The keys, from the head's first channel on.</param>
    /// <param name="first">The first.</param>
    /// <param name="count">How many keys.</param>
    /// <param name="panels">Receives them.</param>
    public static void LoadKeys(AttentionShape shape, Rows key, long first, int count, float* panels)
    {
        var width = 2 * L.Count;
        for (var column = 0; column < count; column += width)
        {
            var panel = panels + ((long)column * shape.Dim);
            var some = Math.Min(width, count - column);
            Transposition.Turn<L, V>(key[first + column], key.Stride, some, shape.Dim, panel, width);
            for (var k = 0; some < width && k < shape.Dim; k++)
            {
                new Span<float>(panel + (k * width) + some, width - some).Clear();
            }
        }
    }

    /// <summary>Copies values: panels [keys][width] with room for a whole tile of keys, zeros where there is no channel.</summary>
    /// <param name="shape">Tile sizes.</param>
    /// <param name="value">The values, from the head's first channel on.</param>
    /// <param name="first">The first.</param>
    /// <param name="count">How many keys.</param>
    /// <param name="panels">Receives them.</param>
    public static void LoadValues(AttentionShape shape, Rows value, long first, int count, float* panels)
    {
        var width = 2 * L.Count;
        for (var column = 0; column < shape.Dim; column += width)
        {
            var panel = panels + ((long)column * shape.Keys);
            var some = Math.Min(width, shape.Dim - column);
            for (var k = 0; k < count; k++, panel += width)
            {
                var source = value[first + k] + column;
                if (some == width)
                {
                    L.Store(panel, L.Load(source));
                    L.Store(panel + L.Count, L.Load(source + L.Count));
                }
                else
                {
                    Parts.Copy(source, panel, some, width);
                }
            }
        }
    }
}
