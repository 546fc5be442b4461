using FramePainter.Backends;
using ILGPU.Runtime.OpenCL;

namespace FramePainter.Ilgpu.Tests;

/// <summary>
/// PoCL runs OpenCL kernels on the processor: a second compiler's opinion on the kernels, and hundreds of times faster than ILGPU's own stand-in.
/// It says of itself that it has no generic address space, which ILGPU asks for and these kernels do not use: the tests say otherwise for it.
/// With <c>FRAMEPAINTER_ILGPU=cuda</c> in the environment the first NVIDIA GPU takes its place, for kernels/check-on-gpu.sh.
/// </summary>
internal static class Pocl
{
    static readonly Lazy<string?> s_absence = new(() =>
    {
        try
        {
            Create().Dispose();
            return null;
        }
        catch (DeviceException error) when (!IsCuda)
        {
            return error.Message;
        }
    });

    static readonly Lazy<IBackend> s_shared = new(() => new LastingBackend(Create()));
    static readonly Lazy<IBackend> s_sharedHalf = new(() => new LastingBackend(Create(new IlgpuOptions { Weights = WeightStorage.Half })));
    static readonly Lazy<IBackend> s_sharedInner = new(() => new LastingBackend(Create(new IlgpuOptions { Activations = ActivationStorage.Half })));

    /// <summary>Why PoCL cannot be used here; null where it can.</summary>
    public static string? Absence => s_absence.Value;

    /// <summary>
    /// One backend for all tests that do not try its making or its end: a context builds every kernel that it is asked for anew,
    /// hundreds of milliseconds a test where there are more than two thousand.
    /// </summary>
    public static IBackend Shared => s_shared.Value;

    /// <summary>The same with weights rounded to halves.</summary>
    public static IBackend SharedHalf => s_sharedHalf.Value;

    /// <summary>The same with values inside plans as halves.</summary>
    public static IBackend SharedInner => s_sharedInner.Value;

    public static IlgpuBackend Create() => Create(null);

    public static IlgpuBackend Create(IlgpuOptions? options) =>
        IsCuda ? new(IlgpuDevice.Cuda(0), options) : new(IlgpuDevice.OpenCl(0), options, ClaimGenericAddresses);

    /// <summary>Asked for, it must be there.</summary>
    static bool IsCuda => Environment.GetEnvironmentVariable("FRAMEPAINTER_ILGPU") == "cuda";

    /// <summary>Says of a device that it has what these kernels do not use.</summary>
    public static void ClaimGenericAddresses(CLDevice device) =>
        typeof(CLCapabilityContext).GetProperty(nameof(CLCapabilityContext.GenericAddressSpace))!.SetValue(device.Capabilities, true);
}
