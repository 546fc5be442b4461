namespace FramePainter.Backends.Cpu.Simd;

/// <summary>How products are cut to fit the caches; part of the result's bits, therefore the same everywhere.</summary>
internal static class Blocking
{
    /// <summary>Inputs summed in one go: a panel of 32 columns is 40 KB, a tile's rows 18 KB. All widths of the networks are multiples of 320 or fit.</summary>
    public const int Inputs = 320;

    /// <summary>Distance of gathered rows in floats: an odd number of cache lines, so that the rows of a tile spread over all cache sets.</summary>
    public const int RowStride = Inputs + 16;

    /// <summary>Rows of a work item: their inputs take 340 KB, a third of a core's second-level cache, and a widened panel serves all of them.</summary>
    public const int Rows = 252;

    /// <summary>Columns of a work item: gathering its rows is spread over so many.</summary>
    public const int Columns = 320;
}
