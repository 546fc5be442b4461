using System.Globalization;
using System.Xml.Linq;
using Microsoft.CodeAnalysis;

namespace FramePainter.Docs.Tests;

/// <summary>The assemblies beside these tests, with their documentation where they have it.</summary>
static class Assemblies
{
    /// <summary>The packages that are documented, in the order of the reference.</summary>
    public static IReadOnlyList<string> Documented { get; } =
    [
        "FramePainter.Core", "FramePainter.Imaging", "FramePainter.Toy", "FramePainter.Extensions.AI", "FramePainter.Studio", "FramePainter.Evaluation", "FramePainter.Ilgpu", "FramePainter.Cuda",
    ];

    /// <summary>Everything that code here may refer to.</summary>
    public static IReadOnlyList<MetadataReference> References { get; } =
    [
        .. ((string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!).Split(Path.PathSeparator).Select(path =>
            MetadataReference.CreateFromFile(path, documentation: Documented.Contains(Path.GetFileNameWithoutExtension(path)) ? new Documentation(Path.ChangeExtension(path, ".xml")) : null)),
    ];

    /// <summary>The documentation that the compiler wrote beside an assembly.</summary>
    sealed class Documentation(string file) : DocumentationProvider
    {
        readonly Dictionary<string, string> _members = XDocument.Load(file, LoadOptions.PreserveWhitespace).Descendants("member").ToDictionary(m => m.Attribute("name")!.Value, m => m.ToString(SaveOptions.DisableFormatting), StringComparer.Ordinal);

        public override bool Equals(object? obj) => ReferenceEquals(this, obj);

        public override int GetHashCode() => file.GetHashCode(StringComparison.Ordinal);

        protected override string GetDocumentationForSymbol(string documentationMemberID, CultureInfo preferredCulture, CancellationToken cancellationToken = default) =>
            _members.GetValueOrDefault(documentationMemberID, "");
    }
}
