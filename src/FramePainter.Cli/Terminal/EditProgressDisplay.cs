using System.Diagnostics;
using System.Globalization;
using FramePainter.Cli.Engine;
using Spectre.Console;

namespace FramePainter.Cli.Terminal;

/// <summary>Shows an edit's progress on stderr: a bar on a terminal, plain lines elsewhere.</summary>
static class EditProgressDisplay
{
    static readonly TimeSpan s_linePause = TimeSpan.FromSeconds(1);

    /// <summary>Runs the work with a progress to report to.</summary>
    public static T Run<T>(int steps, Func<IProgress<EngineProgress>, T> work) =>
        Console.IsErrorRedirected ? work(new Lines(Console.Error)) : Bar(steps, work);

    static T Bar<T>(int steps, Func<IProgress<EngineProgress>, T> work)
    {
        var console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(Console.Error) });
        return console.Progress()
            .AutoClear(true)
            .Columns(new TaskDescriptionColumn(), new ProgressBarColumn(), new PercentageColumn(), new ElapsedTimeColumn(), new RemainingTimeColumn(), new SpinnerColumn())
            .Start(context => work(new BarProgress(context.AddTask("prepare", maxValue: steps))));
    }

    sealed class BarProgress(ProgressTask task) : IProgress<EngineProgress>
    {
        public void Report(EngineProgress value)
        {
            task.Description = value.Step > 0 ? $"{value.Stage} {value.Step}/{value.Steps}" : value.Stage;
            task.Value = Math.Max(task.Value, value.Step);
        }
    }

    sealed class Lines(TextWriter output) : IProgress<EngineProgress>
    {
        readonly Lock _lock = new();
        readonly Stopwatch _clock = Stopwatch.StartNew();
        TimeSpan _last = TimeSpan.MinValue;
        string? _stage;

        public void Report(EngineProgress value)
        {
            lock (_lock)
            {
                // Every stage and the last step; of the others no more than one a second.
                var now = _clock.Elapsed;
                var notable = value.Stage != _stage || value.Step == value.Steps;
                if (!notable && now - _last < s_linePause)
                    return;

                (_stage, _last) = (value.Stage, now);
                var step = value.Step > 0 ? string.Create(CultureInfo.InvariantCulture, $" {value.Step}/{value.Steps}") : "";
                output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{now.TotalSeconds,7:F1} s  {value.Stage}{step}"));
            }
        }
    }
}
