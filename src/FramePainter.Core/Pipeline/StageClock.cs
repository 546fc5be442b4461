using System.Diagnostics;

namespace FramePainter.Pipeline;

/// <summary>Tells progress with the time left, and keeps the time of each stage.</summary>
/// <param name="options">The edit's options.</param>
/// <param name="decodeFlops">Operations of the decoder, which the time left counts at the rate of the steps done.</param>
sealed class StageClock(EditOptions options, double decodeFlops)
{
    readonly long _start = Stopwatch.GetTimestamp();
    readonly List<StageTiming> _timings = [];
    EditStage _stage;
    long _begun;
    double _flops;
    TimeSpan? _decode;

    public void Begin(EditStage stage, double flops = 0)
    {
        Finish();
        (_stage, _flops, _begun) = (stage, flops, Stopwatch.GetTimestamp());
        Report(stage > EditStage.Denoise ? options.Steps : 0);
    }

    public void Report(int step, PixelImage? preview = null)
    {
        if (options.Progress is not { } progress)
        {
            return;
        }

        TimeSpan? left = _stage == EditStage.Decode ? _decode : null;
        if (_stage == EditStage.Denoise && step > 0)
        {
            var spent = Stopwatch.GetElapsedTime(_begun);
            _decode = spent * (_flops > 0 ? decodeFlops / (_flops / options.Steps * step) : 0);
            left = (spent / step * (options.Steps - step)) + _decode;
        }

        progress.Report(new EditProgress(_stage, step, options.Steps, Stopwatch.GetElapsedTime(_start)) { Left = left, Preview = preview });
    }

    public IReadOnlyList<StageTiming> End()
    {
        Finish();
        return _timings;
    }

    void Finish()
    {
        if (_begun != 0)
        {
            _timings.Add(new StageTiming(_stage, Stopwatch.GetElapsedTime(_begun), _flops));
        }
    }
}
