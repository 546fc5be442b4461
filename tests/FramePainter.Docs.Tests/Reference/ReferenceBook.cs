using System.Text;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;

namespace FramePainter.Docs.Tests.Reference;

/// <summary>The public face of all packages as pages of Markdown: one for each namespace, and an index.</summary>
sealed class ReferenceBook
{
    readonly CSharpCompilation _compilation = CSharpCompilation.Create("reference", references: Assemblies.References);
    readonly Dictionary<string, INamedTypeSymbol[]> _types;

    public ReferenceBook()
    {
        _types = Assemblies.Documented
            .SelectMany(name => TypesOf(_compilation.SourceModule.ReferencedAssemblySymbols.Single(a => a.Name == name).GlobalNamespace))
            .GroupBy(type => type.ContainingNamespace.ToDisplayString())
            .ToDictionary(g => g.Key, g => g.OrderBy(NameOf, StringComparer.Ordinal).ToArray(), StringComparer.Ordinal);
    }

    /// <summary>Every page: its file name, and its text.</summary>
    public IEnumerable<(string File, string Text)> Pages => _types.Select(n => ($"{n.Key}.md", Page(n.Key, n.Value))).Append(("README.md", Index()));

    /// <summary>A type with the types around it, without its namespace.</summary>
    public static string NameOf(INamedTypeSymbol type) => type.ToDisplayString(new SymbolDisplayFormat(
        typeQualificationStyle: SymbolDisplayTypeQualificationStyle.NameAndContainingTypes, genericsOptions: SymbolDisplayGenericsOptions.IncludeTypeParameters));

    /// <summary>Whether a symbol can be reached from other assemblies.</summary>
    public static bool IsPublic(ISymbol symbol) => symbol.DeclaredAccessibility is Accessibility.Public or Accessibility.Protected or Accessibility.ProtectedOrInternal;

    static IEnumerable<INamedTypeSymbol> TypesOf(INamespaceOrTypeSymbol place) => place.GetMembers().OfType<INamespaceOrTypeSymbol>().SelectMany(member => member switch
    {
        INamedTypeSymbol type when IsPublic(type) => TypesOf(type).Prepend(type),
        INamespaceSymbol inner => TypesOf(inner),
        _ => [],
    });

    string Page(string name, INamedTypeSymbol[] types)
    {
        var text = new StringBuilder($"# {name}\n\nMade from the documentation in the code by `docs/generate.sh`. [All types](README.md)\n");
        foreach (var type in types)
        {
            TypeSection.Write(text, type, LinkOf);
        }

        return text.ToString();
    }

    string Index()
    {
        var text = new StringBuilder("# Reference\n\nEvery public type, by namespace. Made from the documentation in the code by `docs/generate.sh`; `ReferenceTests` holds it to the code.\n");
        foreach (var (name, types) in _types)
        {
            text.Append($"\n## {name}\n\n| type | what it is |\n|---|---|\n");
            foreach (var type in types)
            {
                var summary = DocComment.Of(type, LinkOf).Summary;
                text.Append($"| [{Plain(NameOf(type))}]({name}.md#{Anchor(type)}) | {FirstSentence(summary)} |\n");
            }
        }

        return text.ToString();
    }

    /// <summary>What a <c>cref</c> points at: a link to its type's section, or its name where the reference has none.</summary>
    string LinkOf(string cref)
    {
        var symbol = DocumentationCommentId.GetFirstSymbolForDeclarationId(cref, _compilation) ?? throw new InvalidOperationException($"Nothing is called {cref}.");
        var type = symbol as INamedTypeSymbol ?? symbol.ContainingType;
        var name = symbol is INamedTypeSymbol ? NameOf(type) : $"{NameOf(type)}.{symbol.Name}";
        return type is not null && _types.TryGetValue(type.ContainingNamespace.ToDisplayString(), out var known) && known.Contains(type, SymbolEqualityComparer.Default)
            ? $"[{Plain(name)}]({type.ContainingNamespace.ToDisplayString()}.md#{Anchor(type)})"
            : $"`{name}`";
    }

    static string Plain(string name) => name.Replace("<", "\\<", StringComparison.Ordinal);

    /// <summary>As Markdown's hosts make anchors of headings: lower case, letters and digits alone.</summary>
    static string Anchor(INamedTypeSymbol type) => string.Concat(NameOf(type).Where(char.IsLetterOrDigit)).ToLowerInvariant();

    static string FirstSentence(string text) => text.IndexOf(". ", StringComparison.Ordinal) is > 0 and var end ? text[..(end + 1)] : text;
}
