using System.Text.RegularExpressions;

namespace FramePainter.Docs.Tests;

/// <summary>A fenced block of code of the README or a page of docs.</summary>
/// <param name="Page">The page, below the repository's root.</param>
/// <param name="Line">The line of its first code.</param>
/// <param name="Language">What stands behind the fence.</param>
/// <param name="Code">The code.</param>
public sealed partial record CodeBlock(string Page, int Line, string Language, string Code)
{
    /// <summary>All blocks of the README and of docs.</summary>
    public static IReadOnlyList<CodeBlock> All { get; } =
    [
        .. new[] { Repository.PathOf("README.md") }.Concat(Directory.EnumerateFiles(Repository.PathOf("docs"), "*.md", SearchOption.AllDirectories)).Order(StringComparer.Ordinal).SelectMany(Of),
    ];

    /// <inheritdoc/>
    public override string ToString() => $"{Page}:{Line}";

    static IEnumerable<CodeBlock> Of(string file)
    {
        var text = File.ReadAllText(file);
        var page = Path.GetRelativePath(Repository.Root, file).Replace('\\', '/');
        return Fences().Matches(text).Select(m => new CodeBlock(page, text.AsSpan(0, m.Groups[2].Index).Count('\n') + 1, m.Groups[1].Value, m.Groups[2].Value));
    }

    [GeneratedRegex(@"^```(\w*)\n(.*?)^```", RegexOptions.Multiline | RegexOptions.Singleline, 1000)]
    private static partial Regex Fences();
}
