using FramePainter.Backends.Cpu.Simd;

namespace FramePainter.Backends.Cpu.Kernels;

/// <summary>Words of a block's rows that are summed in one go.</summary>
/// <param name="From">The first word.</param>
/// <param name="Words">How many.</param>
/// <param name="Distance">Words from one row to the next where rows are read in place; 0 where they are gathered.</param>
/// <param name="Evenly">Rows lie evenly spaced in memory, whether they are read there or gathered.</param>
internal readonly record struct Stretch(int From, int Words, int Distance, bool Evenly)
{
    /// <summary>
    /// Distances of a multiple of this put the rows of a tile into two sets of a first-level cache or one, which they then keep throwing each other out of.
    /// </summary>
    const int CrowdedDistance = 512;

    /// <summary>Fewer inputs side by side are not worth a stretch of their own.</summary>
    const int FewInputs = 64;

    /// <summary>Most words of evenly spaced rows that are gathered at once: a panel's are 160 KB.</summary>
    const int MostGathered = 1280;

    /// <summary>
    /// Cuts the inputs of a block: as many as lie side by side at once, because an unfinished sum is a walk to the second-level cache,
    /// and <see cref="Blocking.Inputs"/> of those that do not.
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
        if (arithmetic.TakesAnyDistance && (block.Input | block.Inputs) % wordInputs == 0 && SideBySide(source, from, to, arithmetic, wordInputs) is { } evenly)
        {
            return evenly;
        }

        return [.. Parts(from, to - from, Blocking.Inputs, evenly: false)];
    }

    static Stretch[]? SideBySide(RowSource source, int from, int to, TileArithmetic arithmetic, int wordInputs)
    {
        var stretches = new List<Stretch>();
        while (from < to)
        {
            var (inputs, distance) = source.Beside(from * wordInputs);
            var words = Math.Min(inputs / wordInputs, to - from);
            if (words == 0 || (words * wordInputs < FewInputs && words < to - from))
            {
                return null;
            }

            if (arithmetic.ReadsInPlace)
            {
                if (distance % CrowdedDistance == 0)
                {
                    return null;
                }

                stretches.Add(new Stretch(from, words, distance, Evenly: true));
            }
            else
            {
                if (inputs % wordInputs != 0)
                {
                    return null;
                }

                stretches.AddRange(Parts(from, words, MostGathered, evenly: true));
            }

            from += words;
        }

        return [.. stretches];
    }

    /// <summary>Words in as few parts as may be, of nearly equal size.</summary>
    static IEnumerable<Stretch> Parts(int from, int words, int most, bool evenly)
    {
        var parts = (words + most - 1) / most;
        return Enumerable.Range(0, parts).Select(p =>
        {
            var first = (int)((long)words * p / parts);
            return new Stretch(from + first, (int)((long)words * (p + 1) / parts) - first, 0, evenly);
        });
    }
}
