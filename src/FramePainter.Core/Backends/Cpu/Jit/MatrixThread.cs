using System.Runtime.InteropServices;

namespace FramePainter.Backends.Cpu.Jit;

/// <summary>
/// Makes a thread ready for tile registers. From the first use on, the system puts 8 KB more onto its signal stack with every signal, 11 KB in all, and .NET's stack for what becomes a
/// null reference exception has 12: without more room the exception would end the process. Linux on x64 only.
/// </summary>
internal static unsafe partial class MatrixThread
{
    /// <summary>Four times what .NET gives, its first page guarded.</summary>
    const nint StackBytes = 64 << 10;

    const int Disabled = 2;
    const int ReadWrite = 1 | 2;
    const int PrivateAnonymousStack = 0x02 | 0x20 | 0x20000;

    [ThreadStatic]
    static bool s_ready;

    /// <summary>
    /// Gives the calling thread a larger signal stack, once. The runtime unmaps a thread's signal stack, whichever it finds, when the thread ends; its own, 16 KB, stays mapped.
    /// </summary>
    public static void Prepare()
    {
        if (!s_ready)
        {
            s_ready = true;
            Enlarge();
        }
    }

    static void Enlarge()
    {
        SignalStack before;
        if (sigaltstack(null, &before) != 0 || (before.Flags & Disabled) != 0 || before.Bytes >= StackBytes)
        {
            return;
        }

        var memory = mmap(0, StackBytes, ReadWrite, PrivateAnonymousStack, -1, 0);
        if (memory == -1)
        {
            return;
        }

        _ = mprotect(memory, Environment.SystemPageSize, 0);
        var larger = new SignalStack { Start = memory, Bytes = StackBytes };
        if (sigaltstack(&larger, null) != 0)
        {
            _ = munmap(memory, StackBytes);
        }
    }

    /// <summary>What Linux calls stack_t.</summary>
    [StructLayout(LayoutKind.Sequential)]
    struct SignalStack
    {
        public nint Start;
        public int Flags;
        public nint Bytes;
    }

    [LibraryImport("libc")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int sigaltstack(SignalStack* wanted, SignalStack* before);

    [LibraryImport("libc")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial nint mmap(nint address, nint length, int protection, int flags, int file, nint offset);

    [LibraryImport("libc")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int mprotect(nint address, nint length, int protection);

    [LibraryImport("libc")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int munmap(nint address, nint length);
}
