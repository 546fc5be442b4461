using System.Text;
using System.Text.RegularExpressions;
using System.Xml.Linq;
using Microsoft.CodeAnalysis;

namespace FramePainter.Docs.Tests.Reference;

/// <summary>The documentation of one symbol, as Markdown.</summary>
/// <param name="element">Its <c>member</c> element.</param>
/// <param name="nameOf">Names what a <c>cref</c> points at, as a link where it has a place in the reference.</param>
sealed partial class DocComment(XElement element, Func<string, string> nameOf)
{
    /// <summary>The summary, with remarks behind it.</summary>
    public string Summary => string.Join(' ', element.Elements().Where(e => e.Name.LocalName is "summary" or "remarks").Select(Text));

    /// <summary>What comes back, or nothing.</summary>
    public string Returns => string.Join(' ', element.Elements("returns").Select(Text));

    /// <summary>Parameters that are said something about.</summary>
    public IEnumerable<(string Name, string Text)> Parameters => element.Elements().Where(e => e.Name.LocalName is "param" or "typeparam").Select(e => (e.Attribute("name")!.Value, Text(e)));

    /// <summary>Errors, and when they are raised.</summary>
    public IEnumerable<(string Name, string Text)> Exceptions => element.Elements("exception").Select(e => (nameOf(e.Attribute("cref")!.Value), Text(e)));

    /// <summary>The documentation of a symbol; where it says that it inherits one, that.</summary>
    public static DocComment Of(ISymbol symbol, Func<string, string> nameOf)
    {
        var element = Parse(symbol);
        while (element.Element("inheritdoc") is not null && BaseOf(symbol) is { } inherited)
        {
            (symbol, element) = (inherited, Parse(inherited));
        }

        return new DocComment(element, nameOf);
    }

    static XElement Parse(ISymbol symbol) => symbol.GetDocumentationCommentXml() is { Length: > 0 } xml ? XElement.Parse(xml, LoadOptions.PreserveWhitespace) : new XElement("member");

    static ISymbol? BaseOf(ISymbol symbol) => symbol switch
    {
        IMethodSymbol { OverriddenMethod: { } method } => method,
        IPropertySymbol { OverriddenProperty: { } property } => property,
        _ => symbol.ContainingType?.AllInterfaces.SelectMany(i => i.GetMembers()).FirstOrDefault(m => SymbolEqualityComparer.Default.Equals(symbol.ContainingType.FindImplementationForInterfaceMember(m), symbol)),
    };

    string Text(XElement parent)
    {
        var text = new StringBuilder();
        foreach (var node in parent.Nodes())
        {
            text.Append(node switch
            {
                XText plain => Escape(plain.Value),
                XElement e => Inline(e),
                _ => "",
            });
        }

        return Spaces().Replace(text.ToString(), " ").Trim();
    }

    string Inline(XElement e) => e.Name.LocalName switch
    {
        "see" or "seealso" when e.Attribute("cref") is { } cref => nameOf(cref.Value),
        "see" when e.Attribute("langword") is { } word => $"`{word.Value}`",
        "see" when e.Attribute("href") is { } address => $"[{(e.Value.Length > 0 ? e.Value : address.Value)}]({address.Value})",
        "paramref" or "typeparamref" => $"`{e.Attribute("name")!.Value}`",
        "c" or "code" => $"`{e.Value}`",
        "para" => $" {Text(e)} ",
        var other => throw new NotSupportedException($"The reference does not know <{other}> yet, in {element.Attribute("name")?.Value}."),
    };

    static string Escape(string text) => text.Replace("<", "&lt;", StringComparison.Ordinal).Replace("*", "\\*", StringComparison.Ordinal).Replace("[", "\\[", StringComparison.Ordinal);

    [GeneratedRegex(@"\s+", RegexOptions.None, 1000)]
    private static partial Regex Spaces();
}
