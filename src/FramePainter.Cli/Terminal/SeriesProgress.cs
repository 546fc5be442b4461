namespace FramePainter.Cli.Terminal;

/// <summary>Shows a series of edits as one: the steps of all of them add up.</summary>
sealed class SeriesProgress(IPainterProgress inner, int edits) : IPainterProgress
{
    int _done;

    public void Report(double value) => inner.Report(value);

    // Denoising is nearly all of an edit; a line for every stage of every edit would be noise.
    public void Report(EditProgress value)
    {
        if (value.Stage == EditStage.Denoise)
            inner.Report(value with { Step = (_done * value.Steps) + value.Step, Steps = edits * value.Steps });
    }

    /// <summary>Goes on to the next edit.</summary>
    public void Next() => _done++;
}
