using FramePainter.Backends.Cpu.Simd;

namespace FramePainter.Backends.Cpu.Kernels;

/// <summary>Words of a block's rows that are summed in one go.</summary>
/// <param name="From">The first word.</param>
/// <param name="Words">How many.</param>
/// <param name="Distance">Floats from one row to the next where rows are read in place; 0 where they are gathered.</param>
internal readonly record struct Stretch(int From, int Words, int Distance)
{
    /// <summary>
    /// Distances of a multiple of this put the rows of a tile into two sets of a first-level cache or one, which they then keep throwing each other out of.
    /// </summary>
    const int CrowdedDistance = 512;

    /// <summary>Fewer inputs in place are not worth a stretch of their own.</summary>
    const int FewInputs = 64;

    /// <summary>
    /// Cuts the inputs of a block: as many as lie in place at once, because an unfinished sum is a walk to the second-level cache,
    /// and <see cref="Blocking.Inputs"/> of gathered ones.
    /// </summary>
    /// <param name="source">Where rows come from.</param>
    /// <param name="block">The block.</param>
    /// <param name="arithmetic">How they are summed.</param>
    /// <param name="wordInputs">Inputs of a word.</param>
    public static Stretch[] Cut(RowSource source, RowBlock block, TileArithmetic arithmetic, int wordInputs)
    {
        // The first word and the last may hold an input that is not the block's.
        var from = block.Input / wordInputs;
        var to = (block.Input + block.Inputs + wordInputs - 1) / wordInputs;
        if (arithmetic.TakesAnyDistance && InPlace(source, from, to) is { } inPlace)
        {
            return inPlace;
        }

        var parts = (to - from + Blocking.Inputs - 1) / Blocking.Inputs;
        return [.. Enumerable.Range(0, parts).Select(p =>
        {
            var first = (int)((long)(to - from) * p / parts);
            return new Stretch(from + first, (int)((long)(to - from) * (p + 1) / parts) - first, 0);
        })];
    }

    static Stretch[]? InPlace(RowSource source, int from, int to)
    {
        var stretches = new List<Stretch>();
        while (from < to)
        {
            var (inputs, distance) = source.Beside(from);
            inputs = Math.Min(inputs, to - from);
            if (inputs == 0 || distance % CrowdedDistance == 0 || (inputs < FewInputs && inputs < to - from))
            {
                return null;
            }

            stretches.Add(new Stretch(from, inputs, distance));
            from += inputs;
        }

        return [.. stretches];
    }
}
