using System.Diagnostics;
using FramePainter.Tensors;
using FramePainter.Toy;

[assembly: Xunit.v3.Parallelization(Mode = Xunit.Sdk.ParallelMode.None)]

namespace FramePainter.Faults.Tests;

/// <summary>What the tests of faults share: the toy, an edit of it, and a count of all that a process can leak. Tests run one after the other: the counts are the process's.</summary>
static class Ground
{
    /// <summary>Every n instead of a share of them: FRAMEPAINTER_FULL=1.</summary>
    public static bool Full { get; } = Environment.GetEnvironmentVariable("FRAMEPAINTER_FULL") == "1";

    /// <summary>One step of the toy.</summary>
    public static EditOptions OneStep { get; } = new() { Steps = 1, Size = (64, 64) };

    public static Painter Load(int threads = 2) => Painter.Load(new PainterOptions { Model = ToyModel.Folder, Device = Device.Cpu, Threads = threads });

    public static PixelImage Picture()
    {
        var pixels = new byte[64 * 64 * 3];
        new Random(5).NextBytes(pixels);
        return PixelImage.FromPixels(pixels, 64, 64, PixelFormat.Rgb24);
    }

    public static Signal Sketch() => Signal.Sketch([new Stroke([new(5, 5), new(50, 40)], 3)], 64, 64);

    /// <summary>Numbers from 0 to below a count: all, or so many of them drawn evenly.</summary>
    public static IEnumerable<int> Draw(int count, int some)
    {
        if (Full || count <= some)
            return Enumerable.Range(0, count);

        var random = new Random(count);
        return Enumerable.Range(0, some).Select(i => (int)(((long)i * count / some) + random.Next(count / some)));
    }

    /// <summary>Fails as the system does where it has no memory or thread to give.</summary>
#pragma warning disable CA2201, MA0012 // It is the runtime's own error, played here in its place.
    public static void RefuseMemory() => throw new OutOfMemoryException();
#pragma warning restore CA2201, MA0012

    /// <summary>Native memory, open files and threads, now.</summary>
    public static (long Bytes, int Files, int Workers) Held() => (NativeBuffer.LiveBytes, Files(), Workers());

    /// <summary>Asserts that as much is held as before. A thread that has ended may be listed for a moment yet.</summary>
    public static void AssertHeld((long Bytes, int Files, int Workers) before, string when = "")
    {
        SpinWait.SpinUntil(() => Held() == before, TimeSpan.FromSeconds(10));
        var now = Held();
        Assert.True(now == before, $"{when}: {before} became {now}");
    }

    /// <summary>Open files of this process that hold weights.</summary>
    static int Files() => !OperatingSystem.IsLinux() ? 0 : new DirectoryInfo("/proc/self/fd").EnumerateFileSystemInfos()
        .Count(f => f.LinkTarget is { } target && (target.Contains(".safetensors", StringComparison.Ordinal) || target.EndsWith(".json", StringComparison.Ordinal)));

    /// <summary>Threads that are workers by their name (of which the system keeps 15 letters).</summary>
    static int Workers() => !OperatingSystem.IsLinux() ? 0 : Directory.EnumerateDirectories("/proc/self/task").Count(IsWorker);

    static bool IsWorker(string task)
    {
        try
        {
            return File.ReadAllText(Path.Combine(task, "comm")).StartsWith("FramePainter wo", StringComparison.Ordinal);
        }
        catch (IOException)
        {
            // It ended meanwhile.
            return false;
        }
    }
}
