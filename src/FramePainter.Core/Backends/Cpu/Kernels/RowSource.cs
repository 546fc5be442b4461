using FramePainter.Graphs;

namespace FramePainter.Backends.Cpu.Kernels;

/// <summary>Consecutive rows of a product that use the same inputs.</summary>
/// <param name="Row">The first row.</param>
/// <param name="Rows">How many.</param>
/// <param name="Input">The first input of all taps that is not zero for them.</param>
/// <param name="Inputs">How many inputs from there on.</param>
internal readonly record struct RowBlock(int Row, int Rows, int Input, int Inputs);

/// <summary>Inputs that lie side by side in memory.</summary>
/// <param name="Inputs">How many.</param>
/// <param name="Distance">Floats from one row to the next.</param>
internal readonly record struct InPlace(int Inputs, int Distance);

/// <summary>Consecutive rows that lie evenly spaced in memory.</summary>
/// <param name="Place">Where the first one's inputs lie; 0 where those of all of them are zeros.</param>
/// <param name="Rows">How many rows, at least 1.</param>
/// <param name="Distance">Floats from one row to the next.</param>
internal readonly record struct EvenRows(nint Place, int Rows, int Distance);

/// <summary>
/// The left side of a product as rows of inputs: one row for each position of the output, its inputs ordered by tap, then channel, as packed weights have them.
/// Rows are never all written out: a work item gathers the stretch it is about to multiply.
/// </summary>
internal abstract unsafe class RowSource(Operand input)
{
    /// <summary>Channels of the first value.</summary>
    protected int FirstChannels { get; } = input.First.Shape.Channels;

    /// <summary>Channels of both.</summary>
    protected int Channels { get; } = input.Channels;

    /// <summary>The first value's memory.</summary>
    protected float* First { get; private set; }

    /// <summary>The second value's memory, or null.</summary>
    protected float* Second { get; private set; }

    /// <summary>Runs of rows that use the same inputs, not yet cut to size.</summary>
    public abstract IEnumerable<RowBlock> Runs { get; }

    /// <summary>Bytes of the values read.</summary>
    public long Bytes { get; } = input.First.Bytes + (input.Second?.Bytes ?? 0);

    /// <summary>Looks up where the values live in this run.</summary>
    public void Bind(CpuRun run)
    {
        First = run.Data(input.First);
        Second = input.Second is null ? null : run.Data(input.Second);
    }

    /// <summary>
    /// How many inputs from one on lie side by side in every row of a run, rows evenly spaced; 0 where they must be gathered.
    /// </summary>
    /// <param name="input">The first input.</param>
    public virtual InPlace Beside(int input) => default;

    /// <summary>Where a row's inputs lie, if <see cref="Beside"/> says that they do.</summary>
    /// <param name="row">The row.</param>
    /// <param name="input">The first input.</param>
    public virtual float* Place(int row, int input) => throw new NotSupportedException("These rows must be gathered.");

    /// <summary>How many inputs from one on lie side by side in every row, where it is not zeros; 0 where they must be copied.</summary>
    /// <param name="input">The first input.</param>
    public virtual int SideBySide(int input) => Beside(input).Inputs;

    /// <summary>The rows from one on whose inputs, as many as <see cref="SideBySide"/> says, are evenly spaced.</summary>
    /// <param name="row">The first row.</param>
    /// <param name="rows">Most rows.</param>
    /// <param name="input">The first input.</param>
    public virtual EvenRows Evenly(int row, int rows, int input) => new((nint)Place(row, input), rows, Beside(input).Distance);

    /// <summary>Copies a stretch of inputs of consecutive rows.</summary>
    /// <param name="row">The first row.</param>
    /// <param name="rows">How many.</param>
    /// <param name="from">The first input.</param>
    /// <param name="count">How many.</param>
    /// <param name="destination">Receives them, rows <see cref="Simd.Blocking.RowStride"/> apart.</param>
    public abstract void Gather(int row, int rows, int from, int count, float* destination);

    /// <summary>Channels that lie side by side from one on, and the distance of positions: those of the first value, then those of the second.</summary>
    /// <param name="channel">The first channel.</param>
    protected InPlace BesideInPosition(int channel) => channel < FirstChannels
        ? new InPlace(FirstChannels - channel, FirstChannels)
        : new InPlace(Channels - channel, Channels - FirstChannels);

    /// <summary>Where a channel of a position lies.</summary>
    /// <param name="position">The position, over all images.</param>
    /// <param name="channel">The channel.</param>
    protected float* PlaceInPosition(long position, int channel) => channel < FirstChannels
        ? First + (position * FirstChannels) + channel
        : Second + (position * (Channels - FirstChannels)) + (channel - FirstChannels);

    /// <summary>Copies channels of one position of both values, as if concatenated.</summary>
    /// <param name="position">The position, over all images.</param>
    /// <param name="channel">The first channel.</param>
    /// <param name="count">How many.</param>
    /// <param name="destination">Receives them.</param>
    protected void CopyPosition(long position, int channel, int count, float* destination)
    {
        var inFirst = Math.Clamp(FirstChannels - channel, 0, count);
        if (inFirst > 0)
        {
            Copy(First + (position * FirstChannels) + channel, destination, inFirst);
        }

        if (inFirst < count)
        {
            Copy(Second + (position * (Channels - FirstChannels)) + (channel + inFirst - FirstChannels), destination + inFirst, count - inFirst);
        }
    }

    /// <summary>Copies floats.</summary>
    protected static void Copy(float* source, float* destination, int count) =>
        new ReadOnlySpan<float>(source, count).CopyTo(new Span<float>(destination, count));

    /// <summary>Writes zeros.</summary>
    protected static void Clear(float* destination, int count) => new Span<float>(destination, count).Clear();
}
