using System.Diagnostics;
using System.Globalization;
using Spectre.Console;

namespace FramePainter.Cli.Terminal;

/// <summary>Hears of loading (a share, 0 to 1) and of the edit.</summary>
interface IPainterProgress : IProgress<double>, IProgress<EditProgress>;

/// <summary>Shows loading and editing on stderr: a bar on a terminal, plain lines elsewhere.</summary>
static class EditProgressDisplay
{
    const string Loading = "load";
    static readonly TimeSpan s_linePause = TimeSpan.FromSeconds(1);

    /// <summary>Runs the work with a progress to report to.</summary>
    public static T Run<T>(int steps, Func<IPainterProgress, T> work) =>
        Console.IsErrorRedirected ? work(new Lines(Console.Error)) : Bar(steps, work);

    /// <summary>A stage's name for people.</summary>
    public static string Name(EditStage stage) => stage switch
    {
        EditStage.Prepare => "prepare",
        EditStage.Describe => "describe",
        EditStage.Encode => "encode",
        EditStage.Control => "control",
        EditStage.Denoise => "denoise",
        _ => "decode",
    };

    static T Bar<T>(int steps, Func<IPainterProgress, T> work)
    {
        var console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(Console.Error) });
        return console.Progress()
            .AutoClear(true)
            .Columns(new TaskDescriptionColumn(), new ProgressBarColumn(), new PercentageColumn(), new ElapsedTimeColumn(), new SpinnerColumn())
            .Start(context => work(new BarProgress(context.AddTask(Loading, maxValue: steps))));
    }

    // The bar counts denoising steps: they are nearly all of an edit.
    sealed class BarProgress(ProgressTask task) : IPainterProgress
    {
        public void Report(double value) => task.Description = string.Create(CultureInfo.InvariantCulture, $"{Loading} {value:P0}");

        public void Report(EditProgress value)
        {
            task.Description = value.Stage == EditStage.Denoise ? $"{Name(value.Stage)} {value.Step}/{value.Steps}{Left(value)}" : Name(value.Stage);
            task.Value = value.Step;
        }

        static string Left(EditProgress value) => value.Left is { } left ? string.Create(CultureInfo.InvariantCulture, $", {left.TotalSeconds:F0} s left") : "";
    }

    sealed class Lines(TextWriter output) : IPainterProgress
    {
        readonly Stopwatch _clock = Stopwatch.StartNew();
        TimeSpan _last = TimeSpan.MinValue;
        string? _stage;

        public void Report(double value) => Report(Loading, string.Create(CultureInfo.InvariantCulture, $"{value:P0}"), last: value >= 1);

        public void Report(EditProgress value) => Report(
            Name(value.Stage),
            value.Stage == EditStage.Denoise ? $"{value.Step}/{value.Steps}" : "",
            value.Stage == EditStage.Denoise && value.Step == value.Steps);

        // The beginning of every stage and its end; of what is between no more than one a second.
        void Report(string stage, string detail, bool last)
        {
            var now = _clock.Elapsed;
            if (stage == _stage && !last && now - _last < s_linePause)
                return;

            (_stage, _last) = (stage, now);
            output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{now.TotalSeconds,7:F1} s  {stage} {detail}").TrimEnd());
        }
    }
}
