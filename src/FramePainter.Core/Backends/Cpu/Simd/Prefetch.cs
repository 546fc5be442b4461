using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;

namespace FramePainter.Backends.Cpu.Simd;

/// <summary>Asks for cache lines ahead of their use; does nothing where the runtime has no such instruction. Any address is allowed.</summary>
internal static unsafe class Prefetch
{
    /// <summary>Bytes of a cache line.</summary>
    public const int Line = 64;

    /// <summary>Into the first-level cache.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Near(void* address, int bytes)
    {
        if (Sse.IsSupported)
        {
            for (var at = 0; at < bytes; at += Line)
            {
                Sse.Prefetch0((byte*)address + at);
            }
        }
    }

    /// <summary>Into the second-level cache.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Far(void* address, long bytes)
    {
        if (Sse.IsSupported)
        {
            for (long at = 0; at < bytes; at += Line)
            {
                Sse.Prefetch1((byte*)address + at);
            }
        }
    }
}
