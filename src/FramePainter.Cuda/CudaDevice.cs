using FramePainter.Cuda.Driver;

namespace FramePainter.Cuda;

/// <summary>
/// NVIDIA GPUs as devices of painters. Each painter has a device of its own choice; several may share one. <see cref="PainterOptions.Precision"/> picks
/// what products read: float16 by default, or bfloat16 (docs/cuda.md, "Precision").
/// </summary>
public static class CudaDevice
{
    /// <summary>The first NVIDIA GPU that will do, in the driver's order, with all of its memory. What <see cref="Device.Auto"/> tries first.</summary>
    public static Device Any { get; } = First();

    /// <summary>The first NVIDIA GPU that will do, in the driver's order.</summary>
    /// <param name="options">How it is used; the defaults when left out.</param>
    /// <exception cref="OptionException">An option is out of range.</exception>
    public static Device First(CudaOptions? options = null)
    {
        _ = options?.Validate();
        return Device.Custom("cuda", precision => CudaBackend.OpenFirst(options, precision));
    }

    /// <summary>One NVIDIA GPU.</summary>
    /// <param name="ordinal">Its number in the driver's order, from 0; CUDA_VISIBLE_DEVICES changes that order.</param>
    /// <param name="options">How it is used; the defaults when left out.</param>
    /// <exception cref="ArgumentOutOfRangeException">The number is negative.</exception>
    /// <exception cref="OptionException">An option is out of range.</exception>
    public static Device At(int ordinal, CudaOptions? options = null)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(ordinal);
        _ = options?.Validate();
        return Device.Custom($"cuda:{ordinal}", precision => CudaBackend.Open(ordinal, options, precision));
    }

    /// <summary>All that the driver knows, fit or not.</summary>
    /// <exception cref="DeviceException">There is no driver, it is too old, or it knows no device.</exception>
    public static IReadOnlyList<CudaDeviceInfo> List() => DriverDevices.List();
}

/// <summary>What the driver says about a GPU.</summary>
/// <param name="Ordinal">Its number in the driver's order, from 0.</param>
/// <param name="Name">Its name.</param>
/// <param name="Capability">Its compute capability.</param>
/// <param name="MemoryBytes">Bytes of its memory.</param>
/// <param name="Multiprocessors">How many multiprocessors it has.</param>
public sealed record CudaDeviceInfo(int Ordinal, string Name, Version Capability, long MemoryBytes, int Multiprocessors)
{
    /// <summary>The least compute capability that the kernels are for: 8.0, Ampere.</summary>
    public static Version LeastCapability { get; } = new(8, 0);

    /// <summary>Whether the kernels run on it.</summary>
    public bool Fits => Capability >= LeastCapability;

    /// <summary>The device for people: "CUDA device 0, NAME".</summary>
    public override string ToString() => $"CUDA device {Ordinal}, {Name}";
}
