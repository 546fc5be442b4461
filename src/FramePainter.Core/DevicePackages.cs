using System.Diagnostics.CodeAnalysis;
using System.Reflection;

namespace FramePainter;

/// <summary>
/// The devices of packages that an application may refer to beside this one. Each is asked for by one full name, written out: trimming
/// and ahead-of-time compilation see it and keep it where it is there, and no assembly is searched.
/// </summary>
internal static class DevicePackages
{
    /// <summary>Devices of the packages that are there, the one liked best first.</summary>
    public static IEnumerable<Device> Find()
    {
        if (Any(Type.GetType("FramePainter.Cuda.CudaDevice, FramePainter.Cuda")) is { } cuda)
        {
            yield return cuda;
        }

        if (Any(Type.GetType("FramePainter.Ilgpu.IlgpuDevice, FramePainter.Ilgpu")) is { } ilgpu)
        {
            yield return ilgpu;
        }
    }

    static Device? Any([DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicProperties)] Type? devices) =>
        (Device?)devices?.GetProperty("Any", BindingFlags.Public | BindingFlags.Static)?.GetValue(null);
}
