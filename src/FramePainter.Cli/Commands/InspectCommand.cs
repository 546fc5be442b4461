using System.CommandLine;
using FramePainter.Cli.Terminal;
using FramePainter.Weights;

namespace FramePainter.Cli.Commands;

/// <summary><c>framepainter inspect</c>: what a file of weights or a checkpoint holds, and what does not fit.</summary>
static class InspectCommand
{
    static readonly Argument<string> s_path = new("FILE-OR-DIR")
    {
        Description = "A .safetensors file, a folder that holds svd/ and framepainter/, or (with --checkpoint) a base model's folder.",
    };

    static readonly Option<string?> s_checkpoint = new("--checkpoint")
    {
        Description = "Folder with FramePainter's two files, where the argument is the base model's folder.", HelpName = "DIR",
    };

    static readonly Option<bool> s_all = new("--all") { Description = "List every tensor, not the files alone." };

    /// <summary>The command with its options.</summary>
    public static Command Create()
    {
        var command = new Command("inspect", "Show tensors, types and sizes, and what is missing, misshaped or unused (exit code 1 where anything is).");
        command.Arguments.Add(s_path);
        command.Options.Add(s_checkpoint);
        command.Options.Add(s_all);
        command.SetWork(Run);
        return command;
    }

    static void Run(ParseResult parsed, CancellationToken cancel)
    {
        var path = parsed.GetRequiredValue(s_path);
        var report = Checkpoint.Inspect(path, parsed.GetValue(s_checkpoint));
        WriteFiles(report);
        if (parsed.GetValue(s_all))
            WriteTensors(report);

        Console.Out.WriteLine($"{Figures.Count(report.Tensors.Count)} tensors, {Figures.Count(report.Parameters)} parameters, {Figures.Bytes(report.TensorBytes)}");
        if (report.Issues.Count > 0)
            Console.Out.WriteLine(report.Describe());
        foreach (var problem in report.Problems)
            Console.Out.WriteLine("problem: " + problem.Message);

        if (!report.IsSound)
            throw new CheckpointException($"'{path}' does not fit: {report.Issues.Count} tensors and {report.Problems.Count} files or configs are at fault.", path);
        if (Directory.Exists(path))
            Console.Out.WriteLine("Nothing is missing, misshaped or unused.");
    }

    static void WriteFiles(CheckpointReport report)
    {
        var table = new PlainTable("part", "file", "tensors", "types", "size");
        foreach (var file in report.Files)
        {
            var tensors = report.Tensors.Where(t => t.File == file.Path).ToList();
            var types = tensors.GroupBy(t => t.Type).OrderByDescending(g => g.Sum(t => t.Bytes)).Select(g => $"{g.Key} {Figures.Count(g.Count())}");
            table.Add(file.Part, file.Path, Figures.Count(tensors.Count), string.Join(", ", types), Figures.Bytes(file.Bytes));
        }

        if (table.Count > 0)
            table.Write();
    }

    static void WriteTensors(CheckpointReport report)
    {
        var table = new PlainTable("tensor", "type", "shape", "bytes");
        foreach (var tensor in report.Tensors)
            table.Add(tensor.Name, tensor.Type.ToString(), tensor.Shape.ToString(), Figures.Count(tensor.Bytes));

        table.Write();
    }
}
