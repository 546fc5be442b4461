using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.X86;

namespace FramePainter.Backends.Cpu.Jit;

/// <summary>Whether this process may use AMX. Linux grants tile registers, 8 KB more that it saves of a thread, to processes that ask for them; other systems are not asked.</summary>
internal static partial class MatrixPermission
{
    /// <summary>The environment's say: 0 where AMX is not wanted; with anything else, or nothing, it is.</summary>
    public const string Setting = "FRAMEPAINTER_AMX";

    /// <summary>The number of arch_prctl on x64.</summary>
    const int ArchPrctl = 158;

    /// <summary>ARCH_REQ_XCOMP_PERM: for this process and all its threads, for good.</summary>
    const int RequestPermission = 0x1023;

    /// <summary>The number of the registers' contents among the states of a processor.</summary>
    const int TileData = 18;

    /// <summary>Whether the processor has AMX-TILE and AMX-BF16: leaf 7, bits 24 and 22 of EDX.</summary>
    public static bool HasInstructions
    {
        get
        {
            const int wanted = (1 << 24) | (1 << 22);
            return X86Base.X64.IsSupported && X86Base.CpuId(0, 0).Eax >= 7 && (X86Base.CpuId(7, 0).Edx & wanted) == wanted;
        }
    }

    /// <summary>Whether they are wanted and may be used; asks once.</summary>
    public static bool Granted { get; } =
        Wants(Environment.GetEnvironmentVariable(Setting)) && HasInstructions && OperatingSystem.IsLinux() && syscall(ArchPrctl, RequestPermission, TileData) == 0;

    /// <summary>Whether AMX is wanted by what the environment says of it.</summary>
    /// <param name="setting">The value of <see cref="Setting"/>, null where there is none.</param>
    public static bool Wants(string? setting) => setting != "0";

    [LibraryImport("libc")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial nint syscall(nint number, nint operation, nint argument);
}
