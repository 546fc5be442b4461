using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using FramePainter.Cli.Terminal;

namespace FramePainter.Cli.Commands;

/// <summary><c>framepainter bench</c>: times loading, every stage of an edit and one U-Net step.</summary>
static class BenchCommand
{
    static readonly ModelOptions s_model = new();

    static readonly Option<(int Width, int Height)?> s_size = new("--size")
    {
        Description = "Size of the picture. Default: 64x64, which fits the toy; 512x512 and 1024x576 are usual for the real model.",
        HelpName = "WxH",
        CustomParser = Parsers.Size,
        DefaultValueFactory = _ => (64, 64),
    };

    static readonly Option<int> s_steps = new("--steps")
    {
        Description = "Denoising steps of each edit, 1 to 1000.", HelpName = "N", CustomParser = Parsers.Integer(1, 1000), DefaultValueFactory = _ => 1,
    };

    static readonly Option<int> s_repeat = new("--repeat")
    {
        Description = "Edits to time after one to warm up; each stage's best is shown. 0 shows the first.",
        HelpName = "N",
        CustomParser = Parsers.Integer(0, 1000),
        DefaultValueFactory = _ => 3,
    };

    /// <summary>The command with its options.</summary>
    public static Command Create()
    {
        var command = new Command("bench", "Time one U-Net step and each stage at a size; print GFLOP/s and peak memory.");
        s_model.AddTo(command);
        command.Options.Add(s_size);
        command.Options.Add(s_steps);
        command.Options.Add(s_repeat);
        command.SetWork(Run);
        return command;
    }

    static void Run(ParseResult parsed, CancellationToken cancel)
    {
        var (width, height) = parsed.GetValue(s_size)!.Value;
        var (image, signal) = (Gradient(width, height), Signal.Sketch(Frame(width, height)));
        var options = new EditOptions { Steps = parsed.GetValue(s_steps) };

        var settings = s_model.Settings(parsed);
        var clock = Stopwatch.StartNew();
        using var painter = Painter.Load(settings, cancel: cancel);
        var load = clock.Elapsed;

        var best = painter.Edit(image, signal, options, cancel).Timings;
        for (var i = 0; i < parsed.GetValue(s_repeat); i++)
        {
            var timings = painter.Edit(image, signal, options, cancel).Timings;
            best = i == 0 ? timings : [.. best.Zip(timings, (a, b) => a.Duration <= b.Duration ? a : b)];
        }

        var table = new PlainTable("stage", "calls", "seconds", "seconds a call", "GFLOP a call", "GFLOP/s");
        table.Add("load", "1", Figures.Seconds(load), Figures.Seconds(load), "", "");
        foreach (var stage in best)
        {
            // The stage of denoising is so many U-Net steps; the others are run once.
            var calls = stage.Stage == EditStage.Denoise ? options.Steps : 1;
            table.Add(
                EditProgressDisplay.Name(stage.Stage),
                Figures.Count(calls),
                Figures.Seconds(stage.Duration),
                Figures.Seconds(stage.Duration / calls),
                stage.Flops > 0 ? (stage.Flops / calls / 1e9).ToString("F2", CultureInfo.InvariantCulture) : "",
                Figures.Rate(stage.Flops, stage.Duration));
        }

        table.Write();
        using var process = Process.GetCurrentProcess();
        Console.Out.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{width}x{height}, {options.Steps} steps; {painter.Device}; weights {Figures.Bytes(painter.WeightBytes)}, peak memory {Figures.Bytes(process.PeakWorkingSet64)}"));
    }

    static PixelImage Gradient(int width, int height) => Draw(width, height, (x, y) => (byte)(((x * 255 / width) + (y * 255 / height)) / 2));

    // The outline of a rectangle in the middle, two pixels wide.
    static PixelImage Frame(int width, int height) => Draw(width, height, (x, y) =>
    {
        var edge = Math.Min(Math.Min(x - (width / 4), (width * 3 / 4) - x), Math.Min(y - (height / 4), (height * 3 / 4) - y));
        return edge is 0 or 1 ? byte.MaxValue : byte.MinValue;
    });

    static PixelImage Draw(int width, int height, Func<int, int, byte> value)
    {
        var pixels = new byte[width * height];
        for (var i = 0; i < pixels.Length; i++)
            pixels[i] = value(i % width, i / width);

        return PixelImage.FromPixels(pixels, width, height, PixelFormat.Gray8).ToRgb();
    }
}
