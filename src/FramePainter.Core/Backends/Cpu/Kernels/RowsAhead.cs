using FramePainter.Backends.Cpu.Simd;

namespace FramePainter.Backends.Cpu.Kernels;

/// <summary>
/// One head's rows of a tensor that are wanted soon: fetched into the second-level cache a few at a time between products. A head is a few cache lines of a long row,
/// so that the processor does not foresee them, and as many as may be under way at once do not keep up with a loop that only copies them.
/// </summary>
/// <param name="rowBytes">Bytes of a head.</param>
internal unsafe struct RowsAhead(int rowBytes)
{
    Rows _first;
    Rows _second;
    long _at;
    long _end;
    long _turn;

    /// <summary>Begins with the rows of two tensors.</summary>
    /// <param name="first">One, from the head's first channel on.</param>
    /// <param name="second">The other; may be the same.</param>
    /// <param name="row">The first row wanted.</param>
    /// <param name="count">How many rows of each.</param>
    /// <param name="turns">Calls of <see cref="Fetch"/> that there will be, at least 1.</param>
    public void Begin(Rows first, Rows second, long row, int count, int turns) =>
        (_first, _second, _at, _end, _turn) = (first, second, row, row + count, (count + turns - 1) / turns);

    /// <summary>Fetches this turn's share.</summary>
    public void Fetch()
    {
        for (var end = Math.Min(_end, _at + _turn); _at < end; _at++)
        {
            Prefetch.Far(_first[_at], rowBytes);
            Prefetch.Far(_second[_at], rowBytes);
        }
    }
}
