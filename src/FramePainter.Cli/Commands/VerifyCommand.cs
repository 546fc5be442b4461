using System.CommandLine;
using FramePainter.Cli.Terminal;
using FramePainter.Weights;

namespace FramePainter.Cli.Commands;

/// <summary><c>framepainter verify</c>: whether a folder of weights is the one that a list of hashes was made of.</summary>
static class VerifyCommand
{
    static readonly Argument<string> s_folder = new("DIR") { Description = "The folder that the list's paths are within." };

    static readonly Option<string> s_hashes = new("--hashes")
    {
        Description = "The list, as sha256sum writes it: a SHA-256 and a path on each line.", HelpName = "FILE", Required = true,
    };

    /// <summary>The command with its options.</summary>
    public static Command Create()
    {
        var command = new Command("verify", "Compare files of weights with a published list of SHA-256 hashes (exit code 1 where one differs, is missing or is not listed).");
        command.Arguments.Add(s_folder);
        command.Options.Add(s_hashes);
        command.SetWork(Run);
        return command;
    }

    static void Run(ParseResult parsed, CancellationToken cancel)
    {
        var folder = parsed.GetRequiredValue(s_folder);
        var files = WeightHashes.Verify(folder, parsed.GetRequiredValue(s_hashes), progress: null, cancel);
        var table = new PlainTable("file", "verdict");
        foreach (var (file, verdict) in files)
            table.Add(file, Name(verdict));

        if (table.Count > 0)
            table.Write();

        var wrong = files.Count(f => f.Verdict != HashVerdict.Same);
        if (wrong > 0)
            throw new CheckpointException($"'{folder}' is not what the list was made of: {wrong} of {files.Count} files differ, are missing or are not listed. Fetch them again.", folder);

        Console.Out.WriteLine($"{Figures.Count(files.Count)} files are those of the list.");
    }

    static string Name(HashVerdict verdict) => verdict switch
    {
        HashVerdict.Same => "same",
        HashVerdict.Different => "different",
        HashVerdict.Missing => "missing",
        _ => "not listed",
    };
}
