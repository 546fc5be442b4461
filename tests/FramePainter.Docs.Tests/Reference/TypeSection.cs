using System.Text;
using Microsoft.CodeAnalysis;

namespace FramePainter.Docs.Tests.Reference;

/// <summary>The section of one type: how it is declared, what it is, and its members.</summary>
static class TypeSection
{
    static readonly SymbolDisplayFormat s_member = new(
        typeQualificationStyle: SymbolDisplayTypeQualificationStyle.NameAndContainingTypes,
        genericsOptions: SymbolDisplayGenericsOptions.IncludeTypeParameters | SymbolDisplayGenericsOptions.IncludeTypeConstraints,
        memberOptions: SymbolDisplayMemberOptions.IncludeParameters | SymbolDisplayMemberOptions.IncludeType | SymbolDisplayMemberOptions.IncludeRef
            | SymbolDisplayMemberOptions.IncludeModifiers | SymbolDisplayMemberOptions.IncludeConstantValue,
        parameterOptions: SymbolDisplayParameterOptions.IncludeName | SymbolDisplayParameterOptions.IncludeType | SymbolDisplayParameterOptions.IncludeParamsRefOut
            | SymbolDisplayParameterOptions.IncludeDefaultValue | SymbolDisplayParameterOptions.IncludeExtensionThis,
        propertyStyle: SymbolDisplayPropertyStyle.ShowReadWriteDescriptor,
        miscellaneousOptions: SymbolDisplayMiscellaneousOptions.UseSpecialTypes | SymbolDisplayMiscellaneousOptions.IncludeNullableReferenceTypeModifier
            | SymbolDisplayMiscellaneousOptions.AllowDefaultLiteral);

    /// <summary>Writes the section.</summary>
    public static void Write(StringBuilder text, INamedTypeSymbol type, Func<string, string> nameOf)
    {
        var about = DocComment.Of(type, nameOf);
        text.Append($"\n## {ReferenceBook.NameOf(type).Replace("<", "\\<", StringComparison.Ordinal)}\n\n`{Declaration(type)}`\n\n{about.Summary}\n");
        var members = type.GetMembers().Where(IsListed).ToArray();
        var own = about.Parameters.ToArray();
        // A record's parameters are its properties, which are listed below.
        if (!type.IsRecord && own.Length > 0)
        {
            text.Append('\n');
            WriteList(text, own.Select(p => ($"`{p.Name}`", p.Text)), "");
        }

        if (members.Length > 0)
        {
            text.Append('\n');
        }

        foreach (var member in members)
        {
            WriteMember(text, member, nameOf, own, about.Summary);
        }
    }

    static void WriteMember(StringBuilder text, ISymbol member, Func<string, string> nameOf, (string Name, string Text)[] parametersOfType, string summaryOfType)
    {
        var about = DocComment.Of(member, nameOf);
        var summary = about.Summary.Length == 0 ? parametersOfType.FirstOrDefault(p => p.Name == member.Name).Text : about.Summary == summaryOfType ? "" : about.Summary;
        text.Append($"- `{Signature(member)}`{(string.IsNullOrEmpty(summary) ? "" : $": {summary}")}\n");
        WriteList(text, about.Parameters.Select(p => ($"`{p.Name}`", p.Text)), "  ");
        if (about.Returns.Length > 0)
        {
            text.Append($"  - returns: {about.Returns}\n");
        }

        WriteList(text, about.Exceptions, "  ");
    }

    static void WriteList(StringBuilder text, IEnumerable<(string Name, string Text)> items, string indent)
    {
        foreach (var (name, what) in items.Where(i => i.Text.Length > 0))
        {
            text.Append($"{indent}- {name}: {what}\n");
        }
    }

    /// <summary>Members of one's own: not accessors, not what the compiler gives records and enums, not overrides that say nothing new.</summary>
    static bool IsListed(ISymbol member) =>
        ReferenceBook.IsPublic(member)
        && member is not INamedTypeSymbol
        && member is not IMethodSymbol { AssociatedSymbol: not null }
        && !member.IsImplicitlyDeclared
        && !member.GetAttributes().Any(a => a.AttributeClass?.Name == "CompilerGeneratedAttribute")
        && !(member is IMethodSymbol { MethodKind: MethodKind.Constructor, Parameters.Length: 0 } && member.GetDocumentationCommentXml() is not { Length: > 0 })
        && !(member.IsOverride && member.ContainingType.IsRecord && member.Name is "EqualityContract")
        && !(member.ContainingType.TypeKind == TypeKind.Delegate)
        && member.Name != "value__";

    static string Signature(ISymbol member) => member switch
    {
        IFieldSymbol { ContainingType.TypeKind: TypeKind.Enum } value => $"{value.Name} = {value.ConstantValue}",
        _ => member.ToDisplayString(s_member),
    };

    static string Declaration(INamedTypeSymbol type)
    {
        var words = new List<string>();
        if (type.TypeKind is TypeKind.Class)
        {
            words.AddRange(type.IsStatic ? ["static"] : type.IsAbstract ? ["abstract"] : type.IsSealed ? ["sealed"] : []);
        }

        words.Add(type.ToDisplayString(s_member.WithKindOptions(SymbolDisplayKindOptions.IncludeTypeKeyword)));
        var parents = (type.BaseType is { SpecialType: SpecialType.None } parent && type.TypeKind == TypeKind.Class ? new[] { parent } : [])
            .Concat(type.Interfaces.Where(i => i.Name != "IEquatable" && type.TypeKind != TypeKind.Enum)).Select(t => t.ToDisplayString(s_member)).ToArray();
        return string.Join(' ', words) + (parents.Length > 0 ? $" : {string.Join(", ", parents)}" : "");
    }
}
