using System.Diagnostics;

namespace FramePainter.Packages.Tests;

/// <summary>benchmarks/compare.sh on a machine without the .NET SDK, and the archive that it makes for one.</summary>
public sealed class CompareScriptTests : IDisposable
{
    /// <summary>Stands in for a dotnet without SDK.</summary>
    const string NoSdk = "exit 0";

    readonly string _folder = Directory.CreateTempSubdirectory("compare-").FullName;

    public CompareScriptTests()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Needs Linux.");
        foreach (var name in (string[])["benchmarks/compare.sh", "kernels/bundle.sh"])
        {
            Write(name, File.ReadAllText(Path.Combine(Feed.Root, name)));
        }
    }

    [Fact]
    public void Without_an_SDK_and_an_archive_it_says_what_to_bring()
    {
        Program("bin/dotnet", NoSdk);
        var (code, output, errors) = Compare("quick");
        Assert.Equal(3, code);
        Assert.Equal("", output);
        Assert.StartsWith("There is no .NET SDK and no artifacts/compare.tar.xz; run 'benchmarks/compare.sh pack'", errors, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("compare quick --out benchmarks/results")]
    [InlineData("compare full --threads 1 --out benchmarks/results", "full", "--threads", "1")]
    [InlineData("compare quick --out elsewhere", "quick", "--out", "elsewhere")]
    public void Without_an_SDK_it_runs_what_the_archive_holds(string expected, params string[] arguments)
    {
        Program("bin/dotnet", NoSdk);
        Program("artifacts/compare/FramePainter.Benchmarks", "echo \"$@\"");
        Feed.Run(Path.Combine(_folder, "artifacts"), "tar", "-cJf", "compare.tar.xz", "compare");
        Program("artifacts/compare/FramePainter.Benchmarks", "echo left over; exit 1");
        Assert.Equal((0, expected + "\n", ""), Compare(arguments));
    }

    [Fact]
    public void The_archive_leaves_out_what_is_not_loaded()
    {
        Publishes("FramePainter.Benchmarks", "FramePainter.Core.dll", "System.CommandLine.dll", "FramePainter.Benchmarks.deps.json", "libmscordbi.so", "Microsoft.CodeAnalysis.CSharp.dll", "onnxruntime.dll");
        Assert.Equal(0, Compare("pack").Code);
        var files = Feed.Run(_folder, "tar", "-tJf", "artifacts/compare.tar.xz").Split('\n', StringSplitOptions.RemoveEmptyEntries).Order(StringComparer.Ordinal);
        Assert.Equal(["compare/", "compare/FramePainter.Benchmarks", "compare/FramePainter.Core.dll", "compare/System.CommandLine.dll"], files);
    }

    [Fact]
    public void An_archive_that_is_too_large_is_refused()
    {
        Publishes("FramePainter.Benchmarks");
        var (code, output, errors) = Run("bash", "-c", "set -o pipefail; . kernels/bundle.sh; pack_bundle compare PROJECT 100");
        Assert.Equal(1, code);
        Assert.Contains("artifacts/compare.tar.xz: ", output, StringComparison.Ordinal);
        Assert.Equal("That is not below 100.\n", errors);
    }

    [Fact]
    public void The_real_archive_runs_where_there_is_no_SDK()
    {
        Assert.SkipUnless(Environment.GetEnvironmentVariable("FRAMEPAINTER_FULL") == "1", "Packing takes minutes: FRAMEPAINTER_FULL=1.");
        Feed.Run(Feed.Root, "bash", "benchmarks/compare.sh", "pack");
        Directory.CreateDirectory(Path.Combine(_folder, "artifacts"));
        File.Copy(Path.Combine(Feed.Root, "artifacts", "compare.tar.xz"), Path.Combine(_folder, "artifacts", "compare.tar.xz"));
        Program("bin/dotnet", NoSdk);
        // Every kernel is in one of the blocks.
        var (code, output, errors) = Compare("quick", "--threads", "1", "--filter", "block 640");
        Assert.True(code == 0, errors);
        Assert.Contains("| ResNet block 640 at 32x32 | ", output, StringComparison.Ordinal);
        Assert.Contains("| transformer block 640 at 32x32 | ", output, StringComparison.Ordinal);
        Assert.Equal(output, File.ReadAllText(Path.Combine(_folder, "benchmarks", "results", "quick-1-threads.md")) + "\n");
        Assert.Equal(3, File.ReadAllLines(Path.Combine(_folder, "benchmarks", "results", "quick-1-threads.csv")).Length);
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    /// <summary>Stands in for a dotnet that publishes these files.</summary>
    void Publishes(params string[] files) => Program("bin/dotnet", $$"""
        while [ "$1" != -o ]; do shift; done
        mkdir -p "$2"
        for file in {{string.Join(' ', files)}}; do head -c 1000 /dev/urandom > "$2/$file"; done
        """);

    void Program(string path, string body) => Write(path, "#!/bin/bash\n" + body.ReplaceLineEndings("\n") + "\n");

    void Write(string path, string content)
    {
        var file = new FileInfo(Path.Combine(_folder, path));
        file.Directory!.Create();
        File.WriteAllText(file.FullName, content);
        Feed.Run(_folder, "chmod", "+x", file.FullName);
    }

    (int Code, string Output, string Errors) Compare(params string[] arguments) => Run("benchmarks/compare.sh", arguments);

    (int Code, string Output, string Errors) Run(string program, params string[] arguments)
    {
        var start = new ProcessStartInfo(program.Contains('/') ? Path.Combine(_folder, program) : program, arguments)
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
            WorkingDirectory = _folder,
        };
        start.Environment["PATH"] = Path.Combine(_folder, "bin") + ":" + Environment.GetEnvironmentVariable("PATH");
        using var process = Process.Start(start)!;
        var errors = process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return (process.ExitCode, output, errors.Result);
    }
}
