using System.Runtime.InteropServices;

namespace FramePainter.Tensors;

/// <summary>The calls by which Linux and macOS give memory in pages, and their constants.</summary>
internal static unsafe partial class UnixMemory
{
    /// <summary>Nobody may touch it.</summary>
    public const int None = 0;

    /// <summary>It may be read and written.</summary>
    public const int ReadWrite = 1 | 2;

    /// <summary>It may be read and run.</summary>
    public const int ReadExecute = 1 | 4;

    /// <summary>For a thread's stack: Linux.</summary>
    public const int Stack = 0x20000;

    const int Private = 2;
    const int HugePages = 14;

    /// <summary>Anonymous memory: 0x20 on Linux, 0x1000 on macOS.</summary>
    static int Anonymous => OperatingSystem.IsMacOS() ? 0x1000 : 0x20;

    /// <summary>Fresh pages of zeros; −1, and the system's last error, where it refuses.</summary>
    public static nint Map(nuint bytes, int flags = 0) => mmap(0, bytes, ReadWrite, Private | Anonymous | flags, -1, 0);

    /// <summary>Gives pages back.</summary>
    public static void Unmap(nint address, nuint bytes) => _ = munmap(address, bytes);

    /// <summary>Changes what may be done with pages; false, and the system's last error, where it refuses.</summary>
    public static bool Protect(nint address, nuint bytes, int protection) => mprotect(address, bytes, protection) == 0;

    /// <summary>Asks Linux for pages of 2 MB in this range; it may have none.</summary>
    public static void AskForHugePages(nint address, nuint bytes) => _ = madvise(address, bytes, HugePages);

    [LibraryImport("libc", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial nint mmap(nint address, nuint length, int protection, int flags, int file, nint offset);

    [LibraryImport("libc", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int mprotect(nint address, nuint length, int protection);

    [LibraryImport("libc")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int munmap(nint address, nuint length);

    [LibraryImport("libc")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int madvise(nint address, nuint length, int advice);
}
