using System.Text.RegularExpressions;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace FramePainter.Docs.Tests;

/// <summary>The page of messages knows every message in the code, and no other.</summary>
public sealed partial class TroubleshootingTests
{
    /// <summary>The one error that users meet by its status, not by its type.</summary>
    const string StatusOfC = "AbiException";

    static readonly IReadOnlyList<(string Section, string Phrase)> s_phrases = [.. ReadPage()];
    static readonly IReadOnlyList<SyntaxNode> s_sources =
    [
        .. Directory.EnumerateFiles(Repository.PathOf("src"), "*.cs", SearchOption.AllDirectories).Select(f => CSharpSyntaxTree.ParseText(File.ReadAllText(f), path: f).GetRoot()),
    ];

    [Fact]
    public void Every_error_that_is_raised_is_on_the_page()
    {
        var raised = s_sources.SelectMany(Raised).ToArray();
        // Were the search to break, it would find nothing, and nothing missing.
        Assert.True(raised.Length > 150, $"{raised.Length} errors were found in the code.");
        var missing = raised
            .Where(e => !s_phrases.Any(p => p.Section == SectionOf(e.Type) && e.Message.Contains(p.Phrase, StringComparison.Ordinal)))
            .Select(e => $"{e.Type} at {e.Place}: {e.Message}").ToArray();
        Assert.True(missing.Length == 0, string.Join('\n', missing));
    }

    [Fact]
    public void Every_phrase_on_the_page_is_in_the_code()
    {
        var texts = s_sources.SelectMany(s => s.DescendantTokens()).Select(TextOf).Where(t => t.Length > 0).Distinct(StringComparer.Ordinal).ToArray();
        var stale = s_phrases.Where(p => !texts.Any(t => t.Contains(p.Phrase, StringComparison.Ordinal))).Select(p => p.Phrase).ToArray();
        Assert.True(stale.Length == 0, string.Join('\n', stale));
    }

    [Fact]
    public void Every_type_of_error_has_its_section()
    {
        var types = typeof(FramePainterException).Assembly.GetExportedTypes().Where(t => t.IsSubclassOf(typeof(FramePainterException))).Select(t => t.Name);
        Assert.Equal(types.Append(SectionOf(StatusOfC)).Order(StringComparer.Ordinal), s_phrases.Select(p => p.Section).Distinct().Order(StringComparer.Ordinal));
    }

    static string SectionOf(string type) => type == StatusOfC ? "Statuses of the C library" : type;

    /// <summary>Every error made in a file with the words of its message; those that hand on a text made elsewhere have none.</summary>
    static IEnumerable<(string Type, string Message, string Place)> Raised(SyntaxNode file) =>
        from creation in file.DescendantNodes().OfType<BaseObjectCreationExpressionSyntax>()
        let type = TypeOf(creation)
        where s_phrases.Any(p => p.Section == SectionOf(type))
        let message = string.Join('…', creation.ArgumentList!.DescendantTokens().Select(TextOf).Where(t => t.Length > 0))
        where message.Contains(' ')
        select (type, message, $"{Path.GetFileName(file.SyntaxTree.FilePath)}:{creation.GetLocation().GetLineSpan().StartLinePosition.Line + 1}");

    static string TypeOf(BaseObjectCreationExpressionSyntax creation) => creation switch
    {
        ObjectCreationExpressionSyntax named => named.Type.ToString(),
        // "new(...)" as the whole body of a function that is declared to give an error.
        _ => creation.FirstAncestorOrSelf<MethodDeclarationSyntax>()?.ReturnType.ToString() ?? "",
    };

    static string TextOf(SyntaxToken token) => token.Kind() is SyntaxKind.StringLiteralToken or SyntaxKind.InterpolatedStringTextToken or SyntaxKind.MultiLineRawStringLiteralToken ? token.ValueText : "";

    static IEnumerable<(string Section, string Phrase)> ReadPage()
    {
        var section = "";
        foreach (var line in File.ReadLines(Repository.PathOf("docs/troubleshooting.md")))
        {
            if (line.StartsWith("## ", StringComparison.Ordinal))
            {
                section = line[3..];
            }
            else if (line.StartsWith("| `", StringComparison.Ordinal))
            {
                foreach (Match phrase in Quoted().Matches(line.Split('|')[1]))
                {
                    yield return (section, phrase.Groups[1].Value);
                }
            }
        }
    }

    [GeneratedRegex("`([^`]+)`", RegexOptions.None, 1000)]
    private static partial Regex Quoted();
}
