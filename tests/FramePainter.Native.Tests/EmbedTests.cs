using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.RegularExpressions;
using FramePainter.Toy;

namespace FramePainter.Native.Tests;

/// <summary>The shared library, compiled ahead of time, inside a host that a C compiler made.</summary>
public sealed class EmbedTests
{
    static readonly string s_header = Path.Combine(AppContext.BaseDirectory, "framepainter.h");

    [Fact]
    public void A_host_in_C_gets_the_managed_edit()
    {
        var compiler = new[] { "gcc", "clang-19", "clang", "cc" }.FirstOrDefault(OnPath);
        Assert.SkipUnless(OperatingSystem.IsLinux() && RuntimeInformation.ProcessArchitecture == Architecture.X64, "The library is built for linux-x64 here.");
        Assert.SkipWhen(compiler is null, "There is no C compiler on PATH.");
        var root = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(root, "FramePainter.Core.sln")))
        {
            root = Path.GetDirectoryName(root)!;
        }

        var work = Directory.CreateTempSubdirectory("framepainter-embed-").FullName;
        try
        {
            var library = Path.Combine(work, "native");
            Run("dotnet", "publish", Path.Combine(root, "src", "FramePainter.Native"), "-c", "Release", "-r", "linux-x64", "-o", library, "-v", "quiet", $"-p:CppCompilerAndLinker={compiler}");
            Assert.True(File.Exists(Path.Combine(library, "framepainter.h")));
            var binary = Path.Combine(library, "framepainter-native.so");
            var megabytes = new FileInfo(binary).Length / 1e6;
            var listed = Regex.Match(File.ReadAllText(Path.Combine(root, "README.md")), @"the C library takes ([0-9.]+) MB", RegexOptions.None, TimeSpan.FromSeconds(1)).Groups[1].Value;
            Assert.InRange(double.Parse(listed, CultureInfo.InvariantCulture), megabytes * 0.85, megabytes * 1.15);

            Run(compiler, "-std=c11", "-Wall", "-Wextra", "-Werror", "-O1", "-I", library, Path.Combine(AppContext.BaseDirectory, "embed.c"), binary, "-Wl,-rpath,$ORIGIN", "-o", Path.Combine(library, "embed"));
            // Both go somewhere else together, and find each other there.
            var moved = Path.Combine(work, "moved");
            Directory.Move(library, moved);
            var host = Path.Combine(moved, "embed");
            var (picture, sketch, result) = (Path.Combine(work, "picture"), Path.Combine(work, "sketch"), Path.Combine(work, "result"));
            File.WriteAllBytes(picture, NativeCalls.Picture);
            File.WriteAllBytes(sketch, NativeCalls.Sketch);
            var lines = Run(host, ToyModel.Folder, picture, sketch, result, "64", "5").Split('\n', StringSplitOptions.RemoveEmptyEntries);

            Assert.Equal(Sizes(), lines[0]);
            Assert.StartsWith("missing 3 ", lines[1], StringComparison.Ordinal);
            Assert.Contains("nowhere", lines[1], StringComparison.Ordinal);
            Assert.Equal(["load 0 ", "edit 0 "], lines[2..4]);
            var progress = lines[4].Split(' ').Skip(1).Select(n => int.Parse(n, CultureInfo.InvariantCulture)).ToArray();
            Assert.True(progress[0] >= 5, lines[4]);
            Assert.Equal((5, (int)Status.Busy), (progress[1], progress[2]));
            Assert.StartsWith("stopped 9 ", lines[5], StringComparison.Ordinal);
            Assert.Equal("untouched 1 2", lines[6]);
            Assert.StartsWith("option 4 Steps is 0", lines[7], StringComparison.Ordinal);
            Assert.Equal("free 0 ", lines[8]);
            Assert.StartsWith("again 2 ", lines[9], StringComparison.Ordinal);

            using var painter = Painter.Load(new PainterOptions { Model = ToyModel.Folder, Device = Device.Cpu });
            var managed = painter.Edit(
                PixelImage.FromPixels(NativeCalls.Picture, 64, 64, PixelFormat.Rgb24),
                Signal.Sketch(PixelImage.FromPixels(NativeCalls.Sketch, 64, 64, PixelFormat.Rgb24)),
                new EditOptions { Steps = 5 },
                TestContext.Current.CancellationToken);
            var difference = managed.Edited.ToRgb().Pixels.ToArray().Zip(File.ReadAllBytes(result), (a, b) => Math.Abs(a - b)).ToArray();
            TestContext.Current.SendDiagnosticMessage($"{difference.Count(d => d > 0)} of {difference.Length} bytes differ, by {difference.Max()} at most");
            Assert.Equal(0, difference.Max());
        }
        finally
        {
            Directory.Delete(work, recursive: true);
        }
    }

    [Fact]
    public void The_header_says_the_same_numbers()
    {
        var header = File.ReadAllText(s_header);
        var numbers = Regex.Matches(header, @"^ +FP_([A-Z0-9_]+) = (\d+)", RegexOptions.Multiline, TimeSpan.FromSeconds(1))
            .ToDictionary(m => m.Groups[1].Value, m => int.Parse(m.Groups[2].Value, CultureInfo.InvariantCulture));
        foreach (var status in Enum.GetValues<Status>())
        {
            var name = status is Status.Ok or Status.Cancelled ? $"{status}" : $"ERROR_{status}";
            Assert.True(numbers.Remove(name.ToUpperInvariant(), out var number) && number == (int)status, name);
        }

        foreach (var format in Enum.GetValues<PixelFormat>())
        {
            Assert.True(numbers.Remove($"{format}".ToUpperInvariant(), out var number) && number == (int)format, $"{format}");
        }

        foreach (var precision in Enum.GetValues<Precision>())
        {
            Assert.True(numbers.Remove($"{precision}".ToUpperInvariant(), out var number) && number == (int)precision, $"{precision}");
        }

        Assert.Empty(numbers);
    }

    static unsafe string Sizes() => $"sizes {sizeof(LoadOptions)} {sizeof(NativeImage)} {sizeof(NativeDrag)} {sizeof(NativeSignal)} {sizeof(NativeEditOptions)}";

    static bool OnPath(string tool) => Environment.GetEnvironmentVariable("PATH")!.Split(Path.PathSeparator).Any(folder => File.Exists(Path.Combine(folder, tool)));

    static string Run(string command, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(command, arguments) { RedirectStandardOutput = true, RedirectStandardError = true, UseShellExecute = false })!;
        var error = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        Assert.True(process.ExitCode == 0, $"{command} ended with {process.ExitCode}: {output}{error.Result}");
        return output;
    }
}
