using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;
using FramePainter.Imaging;
using Microsoft.Extensions.Logging;

namespace FramePainter.Studio;

/// <summary>One edit from its request to its end.</summary>
[SuppressMessage("Design", "CA1001:Types that own disposable fields should be disposable", Justification = "A source without timer or wait handle holds nothing, and may be cancelled long after the end.")]
sealed class EditJob(StudioSession session, int number, Signal signal, EditOptions options) : IProgress<EditProgress>
{
    const string TooLargeToKeep = "The drawing is too large to be kept in the downloaded PNG: 'replay' cannot make this edit again.";

    readonly CancellationTokenSource _cancel = new();
    readonly Lock _lock = new();
    EditState _state = new(number, EditPhase.Queued, 0, null, 0, options.Steps, 0, null, 0);
    byte[]? _preview;

    public StudioSession Session => session;

    public EditState State
    {
        get
        {
            lock (_lock)
                return _state;
        }
    }

    public bool Ended => State.Phase is EditPhase.Done or EditPhase.Cancelled or EditPhase.Failed;

    /// <summary>The newest preview as PNG, or null before the first step.</summary>
    public byte[]? Preview => Volatile.Read(ref _preview);

    /// <summary>Raised once, by whoever cancels first: a queued edit leaves its queue at once.</summary>
    public Action<EditJob>? Cancelled { get; set; }

    /// <summary>Ends the edit soon. May be called at any time, by anyone.</summary>
    public void Cancel()
    {
        _cancel.Cancel();
        Cancelled?.Invoke(this);
    }

    /// <summary>Tells how many edits are before it.</summary>
    public void Wait(int before) => Change(s => s with { Waiting = before });

    /// <summary>It was cancelled before it began.</summary>
    public void Drop() => Change(s => s with { Phase = EditPhase.Cancelled });

    /// <inheritdoc/>
    public void Report(EditProgress value)
    {
        if (value.Preview is { } preview)
            Volatile.Write(ref _preview, PictureIntake.ToPng(preview));
        Change(s => s with
        {
            Stage = value.Stage.ToString(), Step = value.Step, Steps = value.Steps, Seconds = value.Elapsed.TotalSeconds,
            Previews = s.Previews + (value.Preview is null ? 0 : 1),
        });
    }

    /// <summary>Runs the edit to one of its ends; nothing is thrown.</summary>
    public void Run(Func<EditSession> open, Func<MatchCapture?> capture, ILogger log)
    {
        var watch = Stopwatch.StartNew();
        Change(s => s with { Phase = EditPhase.Running, Waiting = 0 });
        try
        {
            var editor = open();
            var result = editor.Edit(signal, options with { Progress = this, Preview = true, Capture = capture() }, _cancel.Token);
            // The editor is kept for its caches; results are kept here, and only so many.
            editor.Undo();
            var (png, hasSignal) = EditFile.EncodeWhatFits(result);
            string[] warnings = [.. result.Warnings.Select(w => w.Message), .. hasSignal ? [] : new[] { TooLargeToKeep }];
            var seconds = watch.Elapsed.TotalSeconds;
            session.Keep(new FinishedEdit(
                number,
                png,
                result.Matches,
                new FinishedState(number, options.Steps, options.Seed, options.ControlScale, seconds, result.Matches is not null, warnings)));
            Change(s => s with { Phase = EditPhase.Done, Step = s.Steps, Seconds = seconds });
            Logs.Edited(log, number, options.Steps, seconds);
        }
        catch (OperationCanceledException)
        {
            Change(s => s with { Phase = EditPhase.Cancelled });
            Logs.Cancelled(log, number);
        }
        catch (Exception e)
        {
            // Whatever it is: thrown further it would end the queue, and with it the process.
            Change(s => s with { Phase = EditPhase.Failed, Problem = Problem.EditFailed(e.Message).Body });
            Logs.Failed(log, number, e);
        }
    }

    void Change(Func<EditState, EditState> change)
    {
        lock (_lock)
            _state = change(_state);
        session.Announce();
    }
}
