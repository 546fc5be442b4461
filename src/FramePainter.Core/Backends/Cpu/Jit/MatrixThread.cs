using System.Runtime.InteropServices;
using FramePainter.Tensors;

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

        var memory = UnixMemory.Map((nuint)StackBytes, UnixMemory.Stack);
        if (memory == -1)
        {
            return;
        }

        _ = UnixMemory.Protect(memory, (nuint)Environment.SystemPageSize, UnixMemory.None);
        var larger = new SignalStack { Start = memory, Bytes = StackBytes };
        if (sigaltstack(&larger, null) != 0)
        {
            UnixMemory.Unmap(memory, (nuint)StackBytes);
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
}
