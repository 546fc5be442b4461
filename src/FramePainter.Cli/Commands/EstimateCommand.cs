using System.CommandLine;
using System.Globalization;
using FramePainter.Cli.Terminal;

namespace FramePainter.Cli.Commands;

/// <summary><c>framepainter estimate</c>: what an edit would take, before any weight is read.</summary>
static class EstimateCommand
{
    static readonly ModelOptions s_model = new();
    static readonly EditSettings s_settings = new();

    static readonly Option<int> s_calibration = new("--calibration")
    {
        Description = "Most seconds to spend on timing this machine, 0 to 600; with 0 no time is estimated. Default: 10, of which small models take 3.",
        HelpName = "N",
        CustomParser = Parsers.Integer(0, 600),
        DefaultValueFactory = _ => 10,
    };

    /// <summary>The command with its options.</summary>
    public static Command Create()
    {
        var command = new Command("estimate", "Tell memory by part, operations and time of an edit without reading weights (default size: 1024x576, for the toy 64x64).");
        s_settings.AddTo(command);
        s_model.AddTo(command);
        command.Options.Add(s_calibration);
        command.SetWork(Run);
        return command;
    }

    static void Run(ParseResult parsed, CancellationToken cancel)
    {
        var options = s_settings.Options(parsed, EditInput.DefaultSeed, DrawPrecision.Float16);
        if (s_model.IsToy(parsed))
            options = options with { Size = options.Size ?? (64, 64) };

        var estimate = Painter.Estimate(s_model.Settings(parsed), options, calibration: TimeSpan.FromSeconds(parsed.GetValue(s_calibration)), cancel: cancel);
        var table = new PlainTable("part", "bytes", "size");
        foreach (var (part, bytes) in new[]
        {
            ("weights", estimate.WeightBytes), ("arena", estimate.ArenaBytes), ("workspace", estimate.WorkspaceBytes),
            ("pictures", estimate.PictureBytes), ("program", estimate.ProgramBytes), ("peak", estimate.PeakBytes),
        })
        {
            table.Add(part, bytes.ToString(CultureInfo.InvariantCulture), Figures.Bytes(bytes));
        }

        table.Write();
        Console.Out.WriteLine(string.Create(
            CultureInfo.InvariantCulture, $"{estimate.Width}x{estimate.Height}, {estimate.Steps} steps; {estimate.Device}; {estimate.Flops / 1e9:F1} GFLOP"));
        if (estimate.Time is var (least, most))
            Console.Out.WriteLine($"time {Figures.Seconds(least)} to {Figures.Seconds(most)} seconds, without loading");
    }
}
