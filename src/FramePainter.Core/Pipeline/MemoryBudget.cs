using System.Globalization;

namespace FramePainter.Pipeline;

/// <summary>
/// Holds the edits of one painter to the memory that they may take: the process's on the processor, else the device's. One that cannot fit is refused
/// before it begins. Thread-safe.
/// </summary>
/// <param name="bytes">The budget.</param>
/// <param name="estimator">Tells what edits take.</param>
/// <param name="networks">The plans.</param>
/// <param name="program">Bytes that the process holds beside the library's memory; null where the budget is of a device's memory.</param>
internal sealed class MemoryBudget(long bytes, Estimator estimator, Networks networks, long? program)
{
    /// <summary>Of the budget, what a size that is named leaves: the program itself takes a little more or less the next time.</summary>
    const int Spare = 50;

    /// <summary>Kinds of edits whose needs are remembered.</summary>
    const int MostKnown = 128;

    readonly Lock _gate = new();
    readonly Dictionary<Kind, DryEdit?> _known = [];
    readonly Dictionary<PictureCache, long> _held = [];

    /// <summary>Refuses a painter none of whose edits would fit.</summary>
    /// <exception cref="PlanException">Not even the smallest would.</exception>
    public void RequireSmallest()
    {
        var size = SizePlan.Create(networks.Grid, networks.Grid, null, networks.Grid, Fit.Stretch);
        var edit = new Wanted(size, new EditOptions { Steps = 1 }, Points: false, Keeps: false);
        if (!Fits(edit, taken: 0))
        {
            throw new PlanException($"Not even an edit at {size.Width}×{size.Height} fits the memory budget of {Figure(bytes)}: it takes {Describe(Needs(edit))}. {Advice}");
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
            var edit = new Wanted(size, options, points, picture.KeepsDenoiser);
            var needs = Needs(edit);
            if (!Fits(edit, taken: 0))
            {
                var largest = Largest(edit) is { } fits
                    ? $"The largest size of this shape that fits is {fits.Width}×{fits.Height}; set {nameof(EditOptions)}.{nameof(EditOptions.Size)} to it, or to any smaller one."
                    : "No smaller size of this shape fits either.";
                throw new PlanException($"An edit at {size.Width}×{size.Height} takes {Describe(needs)}, and the memory budget is {Figure(bytes)}. {largest} {Advice}");
            }

            var others = _held.Where(h => h.Key != picture).Sum(h => h.Value);
            var beside = needs.NeededBytes - needs.Need.Weights;
            if (others > 0 && !Fits(edit, others))
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

    string Advice => program is null
        ? $"Raise {nameof(PainterOptions)}.{nameof(PainterOptions.MemoryBudget)}, or the budget among the device's own options, which may also make weights smaller or keep them on the host."
        : $"{nameof(PainterOptions)}.{nameof(PainterOptions.MemoryBudget)} raises it; {nameof(PainterOptions)}.{nameof(PainterOptions.Weights)} makes weights smaller.";

    static string Figure(long bytes) => $"{((bytes + (1 << 20) - 1) >> 20).ToString("N0", CultureInfo.InvariantCulture)} MiB";

    string Describe(DryEdit needs)
    {
        var parts = $"weights {Figure(needs.Need.Weights)}, arena {Figure(needs.Need.Arena)}, workspace {Figure(needs.Need.Workspace)}";
        return program is { } own
            ? $"{Figure(own + needs.NeededBytes)} ({parts}, pictures {Figure(needs.Pictures)}, the program itself {Figure(own)})"
            : $"{Figure(needs.NeededBytes)} of the device's memory ({parts})";
    }

    /// <summary>The largest smaller size of the same shape that fits: more cells never take less.</summary>
    SizePlan? Largest(Wanted edit)
    {
        // A device's memory holds nothing but what is counted; a program takes a little more or less the next time.
        var spare = program is null ? 0 : bytes / Spare;
        var (fits, limit) = (0, Math.Max(edit.Size.Width, edit.Size.Height) / networks.Grid);
        while (limit - fits > 1)
        {
            var middle = (fits + limit) / 2;
            (fits, limit) = Fits(edit with { Size = edit.Size.Scaled(middle, networks.Grid) }, spare) ? (middle, limit) : (fits, middle);
        }

        return fits > 0 ? edit.Size.Scaled(fits, networks.Grid) : null;
    }

    /// <summary>Whether an edit fits beside what is taken. On a device it is made dry within what is left: what a backend keeps or gives back by need is no sum.</summary>
    bool Fits(Wanted edit, long taken) => program is { } own
        ? own + Needs(edit).NeededBytes + taken <= bytes
        : taken < bytes && Count(edit, bytes - taken) is not null;

    /// <summary>What an edit needs where it is held to nothing.</summary>
    DryEdit Needs(Wanted edit) => Count(edit, long.MaxValue)!;

    /// <summary>What an edit needs within a limit of the device; null where it does not fit.</summary>
    DryEdit? Count(Wanted edit, long limit)
    {
        var kind = new Kind(estimator.KeyOf(edit.Size, edit.Options, edit.Points), edit.Size.SourceWidth, edit.Size.SourceHeight, edit.Keeps, edit.Options is { Preview: true, Progress: not null }, limit);
        if (!_known.TryGetValue(kind, out var needs))
        {
            if (_known.Count == MostKnown)
            {
                _known.Clear();
            }

            _known.Add(kind, needs = Measure());
        }

        return needs;

        DryEdit? Measure()
        {
            try
            {
                return estimator.Measure(edit.Size, edit.Options, edit.Points, limit, edit.Keeps);
            }
            catch (PlanException) when (limit < long.MaxValue)
            {
                return null;
            }
        }
    }

    /// <summary>An edit that is asked for.</summary>
    readonly record struct Wanted(SizePlan Size, EditOptions Options, bool Points, bool Keeps);

    /// <summary>What an edit's needs depend on.</summary>
    readonly record struct Kind(DenoiseKey Key, int SourceWidth, int SourceHeight, bool Keeps, bool Previews, long Limit);
}
