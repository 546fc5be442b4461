using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;
using FramePainter.Core.Tests.Weights;
using FramePainter.EndToEnd;
using FramePainter.Tensors;
using FramePainter.Toy;

namespace FramePainter.Faults.Tests;

/// <summary>An edit that does not fit the budget is refused before it begins, and the size that is named instead really fits.</summary>
public sealed partial class BudgetTests : IDisposable
{
    const long Mebi = 1 << 20;

    readonly TestFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void An_edit_that_cannot_fit_is_refused_before_it_begins_with_the_largest_size_that_fits()
    {
        using var painter = Load(Painter.ProgramBytes() + (100 * Mebi));
        var held = NativeBuffer.LiveBytes;
        NativeBuffer.ResetPeak();
        var (picture, signal) = (Ground.Picture(), Ground.Sketch());
        var error = Assert.Throws<PlanException>(() => painter.Edit(picture, signal, new EditOptions { Steps = 1, Size = (2048, 1024) }));
        Assert.Equal(held, NativeBuffer.PeakBytes);
        Assert.Contains("An edit at 2048×1024 takes ", error.Message, StringComparison.Ordinal);
        var (width, height) = Named(error);
        Assert.Equal(2.0, (double)width / height, 0.4);

        // The size itself is admitted, and one of twice its sides is not.
        var result = painter.Edit(picture, signal, new EditOptions { Steps = 1, Size = (width, height) });
        Assert.Equal(picture.Width, result.Edited.Width);
        Assert.Throws<PlanException>(() => painter.Edit(picture, signal, new EditOptions { Steps = 1, Size = (2 * width, 2 * height) }));
        Assert.NotNull(painter.Edit(picture, signal, Ground.OneStep));
    }

    [Fact]
    public void What_sessions_keep_counts_until_they_go()
    {
        var options = new EditOptions { Steps = 1, Size = Ground.Full ? (512, 512) : (256, 256) };
        var needs = Painter.Estimate(new PainterOptions { Model = ToyModel.Folder, Device = Device.Cpu, Threads = 2 }, options, (64, 64), TimeSpan.Zero);
        var beside = needs.PeakBytes - needs.ProgramBytes - needs.WeightBytes;
        using var painter = Load(Painter.ProgramBytes() + needs.WeightBytes + (beside * 5 / 2));
        var session = painter.Open(Ground.Picture());
        session.Edit(Ground.Sketch(), options);
        session.Edit(Ground.Sketch(), options);
        var error = Assert.Throws<PlanException>(() => painter.Edit(Ground.Picture(), Ground.Sketch(), options));
        Assert.Contains("other edits and open sessions hold", error.Message, StringComparison.Ordinal);
        session.Dispose();
        Assert.NotNull(painter.Edit(Ground.Picture(), Ground.Sketch(), options));
        Assert.NotNull(painter.Edit(Ground.Picture(), Ground.Sketch(), options));
    }

    [Fact]
    public void A_budget_below_the_smallest_edit_is_refused_before_weights_are_packed()
    {
        NativeBuffer.ResetPeak();
        var error = Assert.Throws<PlanException>(() => Load(2 * Mebi));
        Assert.Contains("Not even an edit at ", error.Message, StringComparison.Ordinal);
        Assert.Equal(0, NativeBuffer.PeakBytes);
        Assert.Equal(nameof(PainterOptions.MemoryBudget), Assert.Throws<OptionException>(() => Load(1000)).Option);
    }

    [Fact]
    public void The_largest_size_runs_in_a_control_group_of_the_budget_and_a_tenth()
    {
        var budget = Ground.Full ? 400 : 250;
        using var group = ControlGroup.TryMake(budget * Mebi * 11 / 10);
        Assert.SkipWhen(group is null, "No memory control group can be made here.");
        string[] common = ["edit", "--sample", "003", "--steps", "1", "--memory-budget", budget.ToString(CultureInfo.InvariantCulture), "--threads", "2"];
        var refused = Run(group, [.. common, "--size", "4096x4096", "--out", _folder["a.png"]]);
        refused.AssertExit(1);
        var (width, height) = Size(refused.Error);
        Assert.True(width >= 256, refused.Error);
        Assert.False(File.Exists(_folder["a.png"]));

        var done = Run(group, [.. common, "--size", $"{width}x{height}", "--out", _folder["a.png"]]);
        done.AssertExit(0);
        Assert.True(File.Exists(_folder["a.png"]));
        TestContext.Current.SendDiagnosticMessage($"budget {budget} MiB: {width}x{height} ran with at most {group.PeakBytes / Mebi} MiB in its control group of {budget * 11 / 10} MiB");

        // The limit is one that kills: half of it does not do.
        using var half = ControlGroup.TryMake(budget * Mebi / 2);
        Assert.NotEqual(0, Run(half!, [.. common, "--size", $"{width}x{height}", "--out", _folder["b.png"]]).ExitCode);
        Assert.False(File.Exists(_folder["b.png"]));
    }

    static Painter Load(long budget) => Painter.Load(new PainterOptions { Model = ToyModel.Folder, Device = Device.Cpu, Threads = 2, MemoryBudget = budget });

    static (int Width, int Height) Named(PlanException error) => Size(error.Message);

    static (int Width, int Height) Size(string text)
    {
        var match = LargestSize().Match(text);
        Assert.True(match.Success, text);
        return (int.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture), int.Parse(match.Groups[2].Value, CultureInfo.InvariantCulture));
    }

    /// <summary>Runs the command in a group: a shell joins it and becomes the command.</summary>
    static Outcome Run(ControlGroup group, string[] arguments)
    {
        var start = new ProcessStartInfo("/bin/sh") { UseShellExecute = false, RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var word in (string[])["-c", $"echo $$ > {group.Folder}/cgroup.procs; exec dotnet \"$@\"", "sh", Path.Combine(AppContext.BaseDirectory, "framepainter.dll"), .. arguments])
            start.ArgumentList.Add(word);

        using var process = Process.Start(start)!;
        return CommandLine.Finish(process);
    }

    [GeneratedRegex("largest size of this shape that fits is ([0-9]+)×([0-9]+)", RegexOptions.None, matchTimeoutMilliseconds: 10_000)]
    private static partial Regex LargestSize();

    /// <summary>A memory control group of version 1 or 2, taken away at its end.</summary>
    sealed class ControlGroup : IDisposable
    {
        readonly string _peak;

        ControlGroup(string folder, string peak) => (Folder, _peak) = (folder, peak);

        public string Folder { get; }

        public long PeakBytes => long.Parse(File.ReadAllText(Path.Combine(Folder, _peak)), CultureInfo.InvariantCulture);

        public static ControlGroup? TryMake(long bytes)
        {
            foreach (var (root, limit, peak) in new[] { ("/sys/fs/cgroup/memory", "memory.limit_in_bytes", "memory.max_usage_in_bytes"), ("/sys/fs/cgroup", "memory.max", "memory.peak") })
            {
                var folder = Path.Combine(root, $"framepainter-{Guid.NewGuid():N}");
                try
                {
                    Directory.CreateDirectory(folder);
                    if (File.Exists(Path.Combine(folder, limit)))
                    {
                        File.WriteAllText(Path.Combine(folder, limit), bytes.ToString(CultureInfo.InvariantCulture));
                        return new ControlGroup(folder, peak);
                    }

                    Directory.Delete(folder);
                }
                catch (Exception e) when (e is IOException or UnauthorizedAccessException)
                {
                    // Not allowed, or no such file system.
                }
            }

            return null;
        }

        public void Dispose()
        {
            try
            {
                Directory.Delete(Folder);
            }
            catch (IOException)
            {
                // A process that was killed may still be leaving.
            }
        }
    }
}
