using System.Diagnostics;
using FramePainter.Core.Tests.Weights;
using FramePainter.EndToEnd;
using FramePainter.Imaging;
using FramePainter.Weights;

namespace FramePainter.Faults.Tests;

/// <summary>The process is killed while it writes: under the final name there is nothing, or the whole.</summary>
public sealed class KilledTests : IDisposable
{
    readonly TestFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Gigabytes_of_weights_that_are_being_written()
    {
        using var process = CommandLine.Start("make-checkpoint", "--preset", "svd-xt", "--out", _folder["model"]);
        // Well inside the first file.
        WaitFor(process, () => Partial("*.partial") is { } folder && Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories).Any(f => new FileInfo(f).Length > 1 << 20));
        process.Kill();
        process.WaitForExit();
        Assert.False(Path.Exists(_folder["model"]));
        Assert.NotNull(Partial("*.partial"));
        Assert.Throws<CheckpointException>(() => Checkpoint.Open(_folder["model"]));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(2)]
    [InlineData(6)]
    public void Pictures_and_latents_of_an_edit(int milliseconds)
    {
        string[] names = ["edit.png", "dump.safetensors", "row.webp"];
        using var process = CommandLine.Start("edit", "--sample", "003", "--steps", "1", "--out", _folder[names[0]], "--dump", _folder[names[1]], "--side-by-side", _folder[names[2]]);
        WaitFor(process, () => process.HasExited || Directory.EnumerateFiles(_folder.Root).Any());
        Thread.Sleep(milliseconds);
        process.Kill();
        process.WaitForExit();
        foreach (var path in names.Select(n => _folder[n]).Where(File.Exists))
        {
            if (path.EndsWith(".safetensors", StringComparison.Ordinal))
                Assert.True(Checkpoint.Inspect(path).IsSound);
            else
                Assert.InRange(ImageFile.Load(path).Height, 64, 1024);
        }

        // What is left over has a name that nobody takes for a result.
        Assert.All(Directory.EnumerateFiles(_folder.Root).Select(f => Path.GetFileName(f)!).Except(names), n => Assert.StartsWith(".", n, StringComparison.Ordinal));
    }

    string? Partial(string pattern) => Directory.EnumerateFileSystemEntries(_folder.Root, pattern).FirstOrDefault();

    static void WaitFor(Process process, Func<bool> condition)
    {
        var clock = Stopwatch.StartNew();
        while (!condition())
        {
            Assert.False(process.HasExited && process.ExitCode != 0, "the command failed before it wrote anything");
            Assert.True(clock.Elapsed < TimeSpan.FromMinutes(2), "nothing was written");
            Thread.Sleep(1);
        }
    }
}
