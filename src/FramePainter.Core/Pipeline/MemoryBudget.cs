using System.Globalization;

namespace FramePainter.Pipeline;

/// <summary>Holds the edits of one painter to the memory that the process may have: one that cannot fit is refused before it begins. Thread-safe.</summary>
/// <param name="bytes">The budget.</param>
/// <param name="estimator">Tells what edits take.</param>
/// <param name="networks">The plans.</param>
/// <param name="program">Bytes that the process holds beside the library's memory.</param>
internal sealed class MemoryBudget(long bytes, Estimator estimator, Networks networks, long program)
{
    /// <summary>Of the budget, what a size that is named leaves: the program itself takes a little more or less the next time.</summary>
    const int Spare = 50;

    /// <summary>Kinds of edits whose needs are remembered.</summary>
    const int MostKnown = 64;

    readonly Lock _gate = new();
    readonly Dictionary<Kind, DryEdit> _known = [];
    readonly Dictionary<PictureCache, long> _held = [];

    /// <summary>Refuses a painter none of whose edits would fit.</summary>
    /// <exception cref="PlanException">Not even the smallest would.</exception>
    public void RequireSmallest()
    {
        var size = SizePlan.Create(networks.Grid, networks.Grid, null, networks.Grid, Fit.Stretch);
        var needs = Needs(size, new EditOptions { Steps = 1 }, points: false);
        if (program + needs.PeakBytes > bytes)
        {
            throw new PlanException($"Not even an edit at {size.Width}×{size.Height} fits the memory budget of {Figure(bytes)}: it takes {Describe(needs)}. {Advice}");
        }
    }

    /// <summary>Takes an edit's memory from the budget until the edit ends; what its session keeps, until the session goes.</summary>
    /// <param name="picture">The edit's picture.</param>
    /// <param name="size">Its sizes.</param>
    /// <param name="options">How it is made.</param>
    /// <param name="points">Whether its signal has drag points.</param>
    /// <exception cref="PlanException">It does not fit.</exception>
    public void Admit(PictureCache picture, SizePlan size, EditOptions options, bool points)
    {
        lock (_gate)
        {
            var needs = Needs(size, options, points);
            if (program + needs.PeakBytes > bytes)
            {
                var largest = Largest(size, options, points) is { } fits
                    ? $"The largest size of this shape that fits is {fits.Width}×{fits.Height}; set {nameof(EditOptions)}.{nameof(EditOptions.Size)} to it, or to any smaller one."
                    : "No smaller size of this shape fits either.";
                throw new PlanException($"An edit at {size.Width}×{size.Height} takes {Describe(needs)}, and the memory budget is {Figure(bytes)}. {largest} {Advice}");
            }

            var others = _held.Where(h => h.Key != picture).Sum(h => h.Value);
            var beside = needs.PeakBytes - needs.Weights;
            if (program + needs.Weights + others + beside > bytes)
            {
                throw new PlanException($"An edit at {size.Width}×{size.Height} takes {Figure(beside)} beside the weights, and of the memory budget of {Figure(bytes)} other edits and open sessions hold {Figure(others)}. Wait for the edits, or dispose sessions.");
            }

            _held[picture] = beside;
        }
    }

    /// <summary>Gives back what a picture's edits took.</summary>
    public void Release(PictureCache picture)
    {
        lock (_gate)
        {
            _held.Remove(picture);
        }
    }

    string Advice => $"{nameof(PainterOptions)}.{nameof(PainterOptions.MemoryBudget)} raises it; {nameof(PainterOptions)}.{nameof(PainterOptions.Weights)} makes weights smaller.";

    static string Figure(long bytes) => $"{((bytes + (1 << 20) - 1) >> 20).ToString("N0", CultureInfo.InvariantCulture)} MiB";

    string Describe(DryEdit needs) =>
        $"{Figure(program + needs.PeakBytes)} (weights {Figure(needs.Peak.Weights)}, arena {Figure(needs.Peak.Arena)}, workspace {Figure(needs.Peak.Workspace)}, pictures {Figure(needs.Pictures)}, the program itself {Figure(program)})";

    /// <summary>The largest smaller size of the same shape that fits: more cells never take less.</summary>
    SizePlan? Largest(SizePlan size, EditOptions options, bool points)
    {
        var (fits, limit) = (0, Math.Max(size.Width, size.Height) / networks.Grid);
        while (limit - fits > 1)
        {
            var middle = (fits + limit) / 2;
            (fits, limit) = program + Needs(size.Scaled(middle, networks.Grid), options, points).PeakBytes <= bytes - (bytes / Spare) ? (middle, limit) : (fits, middle);
        }

        return fits > 0 ? size.Scaled(fits, networks.Grid) : null;
    }

    DryEdit Needs(SizePlan size, EditOptions options, bool points)
    {
        var kind = new Kind(estimator.KeyOf(size, options, points), size.SourceWidth, size.SourceHeight);
        if (!_known.TryGetValue(kind, out var needs))
        {
            if (_known.Count == MostKnown)
            {
                _known.Clear();
            }

            _known.Add(kind, needs = estimator.Measure(size, options, points)!);
        }

        return needs;
    }

    /// <summary>What an edit's needs depend on.</summary>
    readonly record struct Kind(DenoiseKey Key, int SourceWidth, int SourceHeight);
}
