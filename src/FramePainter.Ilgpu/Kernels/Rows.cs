using ILGPU;

namespace FramePainter.Ilgpu.Kernels;

/// <summary>One value, or two side by side along their channels.</summary>
internal struct Pair
{
    /// <summary>The first channels.</summary>
    public Elements First;

    /// <summary>The channels behind; anything when there are none.</summary>
    public Elements Second;

    /// <summary>Channels of the first value.</summary>
    public int FirstChannels;

    /// <summary>Channels of the second value, 0 without one.</summary>
    public int SecondChannels;

    /// <summary>All channels.</summary>
    public readonly int Channels => FirstChannels + SecondChannels;

    /// <summary>One element.</summary>
    public readonly float At(int position, int channel) => channel < FirstChannels
        ? First[(position * FirstChannels) + channel]
        : Second[(position * SecondChannels) + channel - FirstChannels];
}

/// <summary>A row of the product's left matrix, found once and read many times. What the fields mean is the loader's matter.</summary>
internal struct RowAt
{
    /// <summary>A position in the input.</summary>
    public int Position;

    /// <summary>Line or frame.</summary>
    public int Y;

    /// <summary>Column.</summary>
    public int X;
}

/// <summary>A column of the product's left matrix: a channel under a tap of the kernel.</summary>
internal struct TapAt
{
    /// <summary>The channel.</summary>
    public int Channel;

    /// <summary>Lines or frames from the row's own.</summary>
    public int Y;

    /// <summary>Columns from the row's own.</summary>
    public int X;
}

/// <summary>The left matrix of a product, read from activations in place.</summary>
internal interface IRowReader
{
    /// <summary>Finds a row.</summary>
    RowAt Row(int row);

    /// <summary>Finds a column.</summary>
    TapAt Tap(int column);

    /// <summary>An element.</summary>
    float At(RowAt row, TapAt tap);

    /// <summary>The first column that is not zero in all of these rows.</summary>
    int From(int firstRow, int lastRow);

    /// <summary>The end of the columns that are not zero in all of these rows.</summary>
    int To(int firstRow, int lastRow);
}

/// <summary>Rows are positions, columns their channels.</summary>
internal struct LinearRows : IRowReader
{
    /// <summary>What is read.</summary>
    public Pair Input;

    /// <summary>Positions of an image.</summary>
    public int Tokens;

    /// <summary>Every how manyth image is read.</summary>
    public int ImageStride;

    /// <inheritdoc/>
    public readonly RowAt Row(int row) => new() { Position = row + (row / Tokens * (ImageStride - 1) * Tokens) };

    /// <inheritdoc/>
    public readonly TapAt Tap(int column) => new() { Channel = column };

    /// <inheritdoc/>
    public readonly float At(RowAt row, TapAt tap) => Input.At(row.Position, tap.Channel);

    /// <inheritdoc/>
    public readonly int From(int firstRow, int lastRow) => 0;

    /// <inheritdoc/>
    public readonly int To(int firstRow, int lastRow) => Input.Channels;
}

/// <summary>Rows are patches under a two-dimensional kernel; nothing is gathered in memory.</summary>
internal struct PatchRows : IRowReader
{
    /// <summary>What is read.</summary>
    public Pair Input;

    /// <summary>Height of the input.</summary>
    public int Height;

    /// <summary>Width of the input.</summary>
    public int Width;

    /// <summary>Height of the output.</summary>
    public int OutputHeight;

    /// <summary>Width of the output.</summary>
    public int OutputWidth;

    /// <summary>Height of the kernel.</summary>
    public int KernelHeight;

    /// <summary>Width of the kernel.</summary>
    public int KernelWidth;

    /// <summary>Distance between outputs.</summary>
    public int Stride;

    /// <summary>Zeros above.</summary>
    public int Top;

    /// <summary>Zeros to the left.</summary>
    public int Left;

    /// <summary>1 where the input is read doubled, else 0.</summary>
    public int Doubling;

    /// <inheritdoc/>
    public readonly RowAt Row(int row)
    {
        var line = row / OutputWidth;
        var image = line / OutputHeight;
        return new RowAt
        {
            Position = image * Height * Width,
            Y = ((line - (image * OutputHeight)) * Stride) - Top,
            X = ((row - (line * OutputWidth)) * Stride) - Left,
        };
    }

    /// <inheritdoc/>
    public readonly TapAt Tap(int column)
    {
        var channels = Input.Channels;
        var tap = column / channels;
        var y = tap / KernelWidth;
        return new TapAt { Channel = column - (tap * channels), Y = y, X = tap - (y * KernelWidth) };
    }

    /// <inheritdoc/>
    public readonly float At(RowAt row, TapAt tap)
    {
        var y = row.Y + tap.Y;
        var x = row.X + tap.X;
        return y >= 0 && x >= 0 && y < Height << Doubling && x < Width << Doubling
            ? Input.At(row.Position + ((y >> Doubling) * Width) + (x >> Doubling), tap.Channel)
            : 0;
    }

    /// <inheritdoc/>
    public readonly int From(int firstRow, int lastRow) => 0;

    /// <inheritdoc/>
    public readonly int To(int firstRow, int lastRow) => KernelHeight * KernelWidth * Input.Channels;
}

/// <summary>Rows are the same position in the frame before, this one and the next. Rows of the first or last frame alone skip the tap that is zero.</summary>
internal struct FrameRows : IRowReader
{
    /// <summary>What is read.</summary>
    public Pair Input;

    /// <summary>Positions of an image.</summary>
    public int Tokens;

    /// <summary>Frames of a half.</summary>
    public int Frames;

    /// <inheritdoc/>
    public readonly RowAt Row(int row) => new() { Position = row, Y = Frame(row) };

    /// <inheritdoc/>
    public readonly TapAt Tap(int column)
    {
        var channels = Input.Channels;
        var tap = column / channels;
        return new TapAt { Channel = column - (tap * channels), Y = tap - 1 };
    }

    /// <inheritdoc/>
    public readonly float At(RowAt row, TapAt tap)
    {
        var frame = row.Y + tap.Y;
        return frame >= 0 && frame < Frames ? Input.At(row.Position + (tap.Y * Tokens), tap.Channel) : 0;
    }

    /// <inheritdoc/>
    public readonly int From(int firstRow, int lastRow) =>
        firstRow / Tokens == lastRow / Tokens && Frame(firstRow) == 0 ? Input.Channels : 0;

    /// <inheritdoc/>
    public readonly int To(int firstRow, int lastRow) =>
        (firstRow / Tokens == lastRow / Tokens && Frame(firstRow) == Frames - 1 ? 2 : 3) * Input.Channels;

    readonly int Frame(int row) => row / Tokens % Frames;
}
