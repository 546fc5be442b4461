namespace FramePainter.Extensions.AI;

/// <summary>Measures denoising steps by an edit's progress, and hands it on to the caller's own listener.</summary>
sealed class StepClock(string model, IProgress<EditProgress>? next) : IProgress<EditProgress>
{
    TimeSpan _last;

    public void Report(EditProgress value)
    {
        if (value is { Stage: EditStage.Denoise, Step: > 0 })
        {
            FramePainterTelemetry.StepEnded(model, value.Elapsed - _last);
        }

        _last = value.Elapsed;
        next?.Report(value);
    }
}
