namespace FramePainter.Backends.Cpu.Kernels;

/// <summary>A range cut into tiles of one size, the last one shorter. The cut hangs on the shape alone, never on the number of threads.</summary>
/// <param name="Total">Elements or rows of the whole range.</param>
/// <param name="Size">Elements or rows of a tile, at least 1.</param>
internal readonly record struct Cut(long Total, int Size)
{
    /// <summary>Floats that a pointwise tile works on: a share of the second-level cache, long enough to hide the dispatch.</summary>
    const int Floats = 16384;

    /// <summary>How many tiles.</summary>
    public int Tiles => checked((int)((Total + Size - 1) / Size));

    /// <summary>Rows cut so that a tile holds about as many floats as the cache likes.</summary>
    /// <param name="rows">All rows.</param>
    /// <param name="width">Floats of a row.</param>
    public static Cut Rows(long rows, int width) => new(rows, Math.Max(1, Floats / Math.Max(1, width)));

    /// <summary>Floats cut likewise.</summary>
    /// <param name="count">All floats.</param>
    public static Cut Elements(long count) => new(count, Floats);

    /// <summary>Where a tile begins and how long it is.</summary>
    /// <param name="tile">The tile.</param>
    public (long From, int Count) this[int tile]
    {
        get
        {
            var from = (long)tile * Size;
            return (from, (int)Math.Min(Size, Total - from));
        }
    }
}
