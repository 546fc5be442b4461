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

    /// <summary>The same where tiles are of two panels: fewer rows, and twice the columns, gather half as often with as much in the second-level cache.</summary>
    public const int PairedRows = 168;

    /// <summary>The same for AMX, whose tiles are of 32 rows.</summary>
    public const int MatrixRows = 256;

    /// <summary>Columns of a work item: gathering its rows is spread over so many.</summary>
    public const int Columns = 320;

    /// <summary>Floats of a work item's rows that are read in place: 430 KB beside a panel and what comes after it.</summary>
    public const int InPlace = 110_000;

    /// <summary>Most rows of such an item.</summary>
    public const int RowsInPlace = 336;

    /// <summary>Columns of such an item, or of one of <see cref="PairedRows"/> or <see cref="MatrixRows"/>: its rows come from afar once for so many.</summary>
    public const int ColumnsInPlace = 640;

    /// <summary>Work items wanted of a product whose rows are gathered.</summary>
    public const int Items = 16;

    /// <summary>Work items wanted of one whose rows are not: smaller ones cost little, and cores finish together.</summary>
    public const int ItemsInPlace = 48;
}
