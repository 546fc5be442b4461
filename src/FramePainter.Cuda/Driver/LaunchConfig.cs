using System.Runtime.InteropServices;

namespace FramePainter.Cuda.Driver;

/// <summary>CUlaunchConfig: the shape of a launch, and what else is wanted of it.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct LaunchConfig
{
    public uint GridX, GridY, GridZ, BlockX, BlockY, BlockZ, SharedBytes;
    public nint Stream;
    public LaunchAttribute* Attributes;
    public uint AttributeCount;
}

/// <summary>CUlaunchAttribute: its number, and a value of up to 64 bytes.</summary>
[StructLayout(LayoutKind.Sequential, Size = 72)]
internal struct LaunchAttribute
{
    /// <summary>
    /// CU_LAUNCH_ATTRIBUTE_PROGRAMMATIC_STREAM_SERIALIZATION: the launch may begin before the one before it has ended. Its kernel waits itself (<c>griddepcontrol.wait</c>)
    /// before it reads or writes what others do.
    /// </summary>
    public static readonly LaunchAttribute BeginsEarly = new() { Id = 6, Value = 1 };

    public int Id, Padding, Value;
}
