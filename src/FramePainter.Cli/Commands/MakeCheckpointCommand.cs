using System.CommandLine;
using System.Diagnostics;
using FramePainter.Cli.Terminal;
using FramePainter.Tensors;
using FramePainter.Weights;

namespace FramePainter.Cli.Commands;

/// <summary><c>framepainter make-checkpoint</c>: random weights in the real disk layout.</summary>
static class MakeCheckpointCommand
{
    static readonly Option<string> s_preset = new("--preset")
    {
        Description = "Sizes: " + string.Join(" or ", CheckpointMaker.Presets) + ".",
        HelpName = "NAME",
        Required = true,
        CustomParser = Parsers.Named([.. CheckpointMaker.Presets.Select(p => (p, p))]),
    };

    static readonly Option<string> s_out = new("--out") { Description = "The folder to make; it must not exist or be empty.", HelpName = "DIR", Required = true };

    static readonly Option<long?> s_seed = new("--seed")
    {
        Description = "Seed of the weights. Default: 0.", HelpName = "N", CustomParser = Parsers.OptionalLong(long.MinValue, long.MaxValue),
    };

    static readonly Option<DType> s_type = new("--dtype")
    {
        Description = "How weights are stored: f16, bf16 or f32. Default: f16.",
        HelpName = "TYPE",
        CustomParser = Parsers.Named(("f16", DType.F16), ("bf16", DType.BF16), ("f32", DType.F32)),
        DefaultValueFactory = _ => DType.F16,
    };

    /// <summary>The command with its options.</summary>
    public static Command Create()
    {
        var command = new Command("make-checkpoint", "Write random weights in the exact layout of the real ones, to test loading and to time any size.");
        command.Options.Add(s_preset);
        command.Options.Add(s_out);
        command.Options.Add(s_seed);
        command.Options.Add(s_type);
        command.SetWork(Run);
        return command;
    }

    static void Run(ParseResult parsed, CancellationToken cancel)
    {
        var (preset, folder, type) = (parsed.GetRequiredValue(s_preset), parsed.GetRequiredValue(s_out), parsed.GetValue(s_type));
        Console.Error.WriteLine($"Writing {preset} as {type}: {Figures.Bytes(CheckpointMaker.Bytes(preset, type))} of random weights.");
        CheckpointMaker.Make(preset, folder, parsed.GetValue(s_seed) ?? 0, type, new Lines(), cancel);
        Console.Out.WriteLine(folder);
    }

    // One line for every file, and one every few seconds within a large one.
    sealed class Lines : IProgress<CheckpointProgress>
    {
        static readonly TimeSpan s_pause = TimeSpan.FromSeconds(5);
        readonly Stopwatch _since = Stopwatch.StartNew();
        string? _file;

        public void Report(CheckpointProgress value)
        {
            if (value.File == _file && _since.Elapsed < s_pause)
                return;

            _file = value.File;
            _since.Restart();
            Console.Error.WriteLine($"{Figures.Bytes(value.Bytes)} of {Figures.Bytes(value.TotalBytes)}  {value.File}");
        }
    }
}
