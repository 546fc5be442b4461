using System.Diagnostics;
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
        global using FramePainter.Extensions.AI;
        global using FramePainter.Ilgpu;
        global using FramePainter.Imaging;
        global using Microsoft.Extensions.DependencyInjection;
        global using OpenTelemetry.Metrics;
        global using OpenTelemetry.Trace;
        global using static Known;

        static class Known
        {
            public static IServiceCollection services => null!;
            public static Painter painter => null!;
            public static EditSession session => null!;
            public static PixelImage image => null!;
            public static PixelImage mask => null!;
            public static Signal signal => null!;
            public static string folder => null!;
            public static Microsoft.Extensions.Logging.ILogger logger => null!;
        }
        """;

    public static TheoryData<string> Blocks => [.. CodeBlock.All.Where(b => b.Language == "csharp").Select(b => b.ToString())];

    [Theory]
    [MemberData(nameof(Blocks))]
    public void A_block_compiles(string place)
    {
        var block = CodeBlock.All.Single(b => b.ToString() == place);
        Assert.Equal([], Errors(block.Code));
    }

    [Fact]
    public void Blocks_of_C_compile()
    {
        Assert.SkipWhen(Compiler is null, "There is no C compiler on PATH.");
        var blocks = CodeBlock.All.Where(b => b.Language == "c").ToArray();
        Assert.NotEmpty(blocks);
        foreach (var block in blocks)
        {
            Assert.Equal("", ErrorsOfC(block.Code));
            Assert.Contains("fp_lode", ErrorsOfC(block.Code.Replace("fp_load(", "fp_lode(", StringComparison.Ordinal)), StringComparison.Ordinal);
        }
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

    static string? Compiler => Environment.GetEnvironmentVariable("PATH")!.Split(Path.PathSeparator)
        .SelectMany(folder => new[] { "gcc", "clang", "clang-19", "cc" }.Select(name => Path.Combine(folder, name))).FirstOrDefault(File.Exists);

    /// <summary>What the compiler says of a block that stands within a function of a host, which has a picture and strokes in memory.</summary>
    static string ErrorsOfC(string code)
    {
        var start = new ProcessStartInfo(Compiler!, ["-std=c11", "-Wall", "-Wextra", "-Werror", "-fsyntax-only", "-I", Repository.PathOf("src/FramePainter.Native/include"), "-x", "c", "-"])
        {
            RedirectStandardInput = true, RedirectStandardError = true, UseShellExecute = false,
        };
        using var process = Process.Start(start)!;
        process.StandardInput.Write($$"""
            #include <stdio.h>
            #include "framepainter.h"
            void host(uint8_t *pixels, uint8_t *strokes, int32_t width, int32_t height);
            void host(uint8_t *pixels, uint8_t *strokes, int32_t width, int32_t height) {
            {{code}}
            }

            """);
        process.StandardInput.Close();
        var errors = process.StandardError.ReadToEnd();
        process.WaitForExit();
        return errors;
    }

    static string[] Errors(string code)
    {
        var options = CSharpParseOptions.Default.WithLanguageVersion(LanguageVersion.Latest);
        var sources = code.StartsWith("using ", StringComparison.Ordinal) && !code.StartsWith("using var", StringComparison.Ordinal) || code.StartsWith('#')
            ? new[] { Implicit, code }
            : [Implicit, Continued, code];
        var compilation = CSharpCompilation.Create(
            "block", sources.Select(s => CSharpSyntaxTree.ParseText(s, options)), Assemblies.References, new CSharpCompilationOptions(OutputKind.ConsoleApplication, nullableContextOptions: NullableContextOptions.Enable));
        return [.. compilation.GetDiagnostics().Where(d => d.Severity == DiagnosticSeverity.Error).Select(d => d.ToString())];
    }
}
