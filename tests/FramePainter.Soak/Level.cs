using System.Diagnostics;
using FramePainter.Tensors;

namespace FramePainter.Soak;

/// <summary>What a process holds at a moment.</summary>
/// <param name="Native">Bytes of the library's buffers.</param>
/// <param name="Managed">Bytes of the managed heap after a full collection.</param>
/// <param name="Handles">Open files, sockets and the like.</param>
/// <param name="Threads">Threads of the library, by their names.</param>
/// <param name="Resident">Bytes of memory that the system counts for the process, for the record: what the allocator keeps is among them.</param>
sealed record Level(long Native, long Managed, int Handles, int Threads, long Resident)
{
    public static Level Now()
    {
        for (var i = 0; i < 3; i++)
        {
            GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
            GC.WaitForPendingFinalizers();
        }

        using var process = Process.GetCurrentProcess();
        return new Level(NativeBuffer.LiveBytes, GC.GetTotalMemory(forceFullCollection: true), CountHandles(process), CountThreads(), process.WorkingSet64);
    }

    /// <summary>Holds a later level to this one.</summary>
    /// <param name="later">The later level.</param>
    /// <param name="managedSlack">Bytes that the managed heap may have grown by: code and type tables, the pools of the runtime.</param>
    public void AssertHeldBy(Level later, long managedSlack)
    {
        Assert.Equal(Native, later.Native);
        Assert.True(later.Managed <= Managed + managedSlack, $"The managed heap grew from {Managed:N0} to {later.Managed:N0} bytes.");
        Assert.True(later.Handles <= Handles, $"Handles grew from {Handles} to {later.Handles}.");
        Assert.Equal(Threads, later.Threads);
    }

    static int CountHandles(Process process) => OperatingSystem.IsLinux() ? Directory.GetFileSystemEntries("/proc/self/fd").Length : process.HandleCount;

    /// <summary>The library names its threads; those of the runtime's own pool come and go as it likes.</summary>
    static int CountThreads() => OperatingSystem.IsLinux()
        ? Directory.GetDirectories("/proc/self/task").Count(task => NameOf(task).StartsWith("FramePainter", StringComparison.Ordinal))
        : 0;

    static string NameOf(string task)
    {
        try
        {
            return File.ReadAllText(Path.Combine(task, "comm"));
        }
        catch (IOException)
        {
            // It ended meanwhile.
            return "";
        }
    }
}
