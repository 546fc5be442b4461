using System.ComponentModel;
using System.Runtime.InteropServices;
using FramePainter.Tensors;

namespace FramePainter.Backends.Cpu.Jit;

/// <summary>
/// Machine code in pages of its own: mapped writable, filled, then made executable and no longer writable. They stay for the life of the process.
/// x64 only: Arm64 macOS would want MAP_JIT, and a cache flush.
/// </summary>
internal static unsafe partial class ExecutablePages
{
    const uint MemCommitReserve = 0x3000;
    const uint MemRelease = 0x8000;
    const uint PageReadWrite = 0x04;
    const uint PageExecuteRead = 0x20;

    /// <summary>Maps code; returns its address.</summary>
    /// <param name="code">Position-independent machine code.</param>
    /// <exception cref="PlatformNotSupportedException">The host has no such pages or forbids them.</exception>
    public static nint Map(ReadOnlySpan<byte> code)
    {
        try
        {
            return OperatingSystem.IsWindows() ? MapOnWindows(code)
                : OperatingSystem.IsLinux() || OperatingSystem.IsMacOS() ? MapOnUnix(code)
                : throw new PlatformNotSupportedException("executable pages are known for Linux, macOS and Windows only");
        }
        catch (Exception e) when (e is DllNotFoundException or EntryPointNotFoundException)
        {
            throw new PlatformNotSupportedException($"the host has no calls to map executable pages: {e.Message}", e);
        }
    }

    static nint MapOnUnix(ReadOnlySpan<byte> code)
    {
        var size = (nuint)code.Length;
        var address = UnixMemory.Map(size);
        if (address == -1)
        {
            throw Refused("map memory");
        }

        code.CopyTo(new Span<byte>((void*)address, code.Length));
        if (!UnixMemory.Protect(address, size, UnixMemory.ReadExecute))
        {
            var refused = Refused("make memory executable");
            UnixMemory.Unmap(address, size);
            throw refused;
        }

        return address;
    }

    static nint MapOnWindows(ReadOnlySpan<byte> code)
    {
        var address = VirtualAlloc(0, (nuint)code.Length, MemCommitReserve, PageReadWrite);
        if (address == 0)
        {
            throw Refused("map memory");
        }

        code.CopyTo(new Span<byte>((void*)address, code.Length));
        if (VirtualProtect(address, (nuint)code.Length, PageExecuteRead, out _) == 0)
        {
            var refused = Refused("make memory executable");
            _ = VirtualFree(address, 0, MemRelease);
            throw refused;
        }

        return address;
    }

    static PlatformNotSupportedException Refused(string what)
    {
        var error = new Win32Exception(Marshal.GetLastPInvokeError());
        return new PlatformNotSupportedException($"the host refuses to {what}: {error.Message}", error);
    }

    [LibraryImport("kernel32", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    private static partial nint VirtualAlloc(nint address, nuint size, uint type, uint protection);

    [LibraryImport("kernel32", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    private static partial int VirtualProtect(nint address, nuint size, uint protection, out uint before);

    [LibraryImport("kernel32")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    private static partial int VirtualFree(nint address, nuint size, uint type);
}
