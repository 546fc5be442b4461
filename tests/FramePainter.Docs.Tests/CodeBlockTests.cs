using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;

namespace FramePainter.Docs.Tests;

/// <summary>Every block of C# in README and docs compiles, as it stands there.</summary>
public sealed class CodeBlockTests
{
    /// <summary>What the SDK imports by itself.</summary>
    const string Implicit = """
        global using System;
        global using System.Collections.Generic;
        global using System.IO;
        global using System.Linq;
        global using System.Threading;
        global using System.Threading.Tasks;
        """;

    /// <summary>What blocks without usings take for granted: they continue what their page said.</summary>
    const string Continued = """
        global using System.Numerics;
        global using FramePainter;
        global using FramePainter.Cuda;
        global using FramePainter.Ilgpu;
        global using FramePainter.Imaging;
        global using static Known;

        static class Known
        {
            public static Painter painter => null!;
            public static EditSession session => null!;
            public static PixelImage image => null!;
            public static PixelImage mask => null!;
            public static Signal signal => null!;
            public static string folder => null!;
            public static Microsoft.Extensions.Logging.ILogger logger => null!;
        }
        """;

    static readonly MetadataReference[] s_references =
    [
        .. ((string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!).Split(Path.PathSeparator).Select(path => MetadataReference.CreateFromFile(path)),
    ];

    public static TheoryData<string> Blocks => [.. CodeBlock.All.Where(b => b.Language == "csharp").Select(b => b.ToString())];

    [Theory]
    [MemberData(nameof(Blocks))]
    public void A_block_compiles(string place)
    {
        var block = CodeBlock.All.Single(b => b.ToString() == place);
        Assert.Equal([], Errors(block.Code));
    }

    [Fact]
    public void Mistakes_are_found()
    {
        Assert.Equal([], Errors("var result = painter.Edit(image, signal);"));
        Assert.Contains(Errors("var result = painter.Edits(image, signal);"), e => e.Contains("CS1061", StringComparison.Ordinal));
        Assert.Contains(Errors("using FramePainter;\n\nConsole.WriteLine(painter.Grid);"), e => e.Contains("CS0103", StringComparison.Ordinal));
    }

    [Fact]
    public void Blocks_of_code_name_their_language()
    {
        Assert.True(Blocks.Count >= 10);
        string[] known = ["csharp", "c", "sh", "text", "json", ""];
        Assert.Equal([], CodeBlock.All.Where(b => !known.Contains(b.Language, StringComparer.Ordinal)).Select(b => $"{b}: {b.Language}"));
        Assert.Equal([], CodeBlock.All.Where(b => b.Language.Length == 0 && b.Code.Contains("Painter.Load(", StringComparison.Ordinal)).Select(b => b.ToString()));
    }

    static string[] Errors(string code)
    {
        var options = CSharpParseOptions.Default.WithLanguageVersion(LanguageVersion.Latest);
        var sources = code.StartsWith("using ", StringComparison.Ordinal) && !code.StartsWith("using var", StringComparison.Ordinal) || code.StartsWith('#')
            ? new[] { Implicit, code }
            : [Implicit, Continued, code];
        var compilation = CSharpCompilation.Create(
            "block", sources.Select(s => CSharpSyntaxTree.ParseText(s, options)), s_references, new CSharpCompilationOptions(OutputKind.ConsoleApplication, nullableContextOptions: NullableContextOptions.Enable));
        return [.. compilation.GetDiagnostics().Where(d => d.Severity == DiagnosticSeverity.Error).Select(d => d.ToString())];
    }
}
