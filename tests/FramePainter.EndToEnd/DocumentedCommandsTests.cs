using System.Text.RegularExpressions;

namespace FramePainter.EndToEnd;

/// <summary>README and docs name commands and options that there are.</summary>
public sealed partial class DocumentedCommandsTests
{
    static readonly IReadOnlyDictionary<string, string[]> s_options = Documented();

    public static TheoryData<string> Commands => [.. s_options.Keys.Order(StringComparer.Ordinal)];

    [Theory]
    [MemberData(nameof(Commands))]
    public void A_documented_command_has_its_documented_options(string command)
    {
        var help = CommandLine.Run(command, "--help");
        help.AssertExit(0);
        Assert.Equal([], s_options[command].Where(option => !Regex.IsMatch(help.Output, $@"(?<![\w-]){option}(?![\w-])", RegexOptions.None, TimeSpan.FromSeconds(1))));
    }

    [Fact]
    public void Every_command_is_documented()
    {
        var commands = Subcommands().Matches(CommandLine.Run("--help").Output).Select(m => m.Groups[1].Value).Order(StringComparer.Ordinal).ToArray();
        Assert.Contains("edit", commands);
        Assert.Equal(commands, s_options.Keys.Order(StringComparer.Ordinal));
    }

    /// <summary>Each command that a page shows, in a block or in a line, with the options that stand behind it.</summary>
    static Dictionary<string, string[]> Documented()
    {
        var pages = Directory.EnumerateFiles(Path.Combine(CommandLine.Repository, "docs"), "*.md").Append(Path.Combine(CommandLine.Repository, "README.md"));
        return pages.SelectMany(page => Calls().Matches(File.ReadAllText(page)))
            .GroupBy(call => call.Groups[1].Value, call => Options().Matches(call.Groups[2].Value).Select(o => o.Value))
            .ToDictionary(g => g.Key, g => g.SelectMany(o => o).Distinct(StringComparer.Ordinal).ToArray(), StringComparer.Ordinal);
    }

    // The installed tool, or the project run from source; up to the end of the line or of the quotation.
    [GeneratedRegex(@"(?:(?<![\w/.-])framepainter|--project src/FramePainter\.Cli --) ([a-z][a-z-]*)\b([^`\n]*)", RegexOptions.None, 1000)]
    private static partial Regex Calls();

    [GeneratedRegex(@"--[a-z][a-z0-9-]*", RegexOptions.None, 1000)]
    private static partial Regex Options();

    [GeneratedRegex(@"^  ([a-z][a-z-]+)(?: <[A-Z-]+>)?  ", RegexOptions.Multiline, 1000)]
    private static partial Regex Subcommands();
}
