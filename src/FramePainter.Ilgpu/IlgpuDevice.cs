namespace FramePainter.Ilgpu;

/// <summary>Ways by which ILGPU reaches a device.</summary>
public enum IlgpuDeviceKind
{
    /// <summary>The first CUDA device, else the first OpenCL graphics card.</summary>
    Auto,

    /// <summary>An NVIDIA card, by its driver.</summary>
    Cuda,

    /// <summary>Any OpenCL device.</summary>
    OpenCl,

    /// <summary>ILGPU's own stand-in on the processor: right, and hundreds of times slower than FramePainter's processor backend. For tests.</summary>
    Cpu,
}

/// <summary>The device that a backend is to run on.</summary>
public sealed record IlgpuDevice
{
    IlgpuDevice(IlgpuDeviceKind kind, int index) => (Kind, Index) = (kind, index);

    /// <summary>The first CUDA device that will do, else the first OpenCL graphics card that will do. Never a processor.</summary>
    public static IlgpuDevice Auto { get; } = new(IlgpuDeviceKind.Auto, 0);

    /// <summary>ILGPU's stand-in on the processor; for tests.</summary>
    public static IlgpuDevice Cpu { get; } = new(IlgpuDeviceKind.Cpu, 0);

    /// <summary><see cref="Auto"/> as an option of a painter; what <see cref="Device.Auto"/> tries behind FramePainter.Cuda's devices.</summary>
    public static Device Any { get; } = Auto.ForPainter();

    /// <summary>How the device is reached.</summary>
    public IlgpuDeviceKind Kind { get; }

    /// <summary>Its number among the devices of its kind, from 0.</summary>
    public int Index { get; }

    /// <summary>An NVIDIA card.</summary>
    /// <param name="index">Its number among the CUDA devices, from 0.</param>
    /// <exception cref="ArgumentOutOfRangeException">The number is negative.</exception>
    public static IlgpuDevice Cuda(int index = 0) => Of(IlgpuDeviceKind.Cuda, index);

    /// <summary>An OpenCL device, processors included.</summary>
    /// <param name="index">Its number among the OpenCL devices of all platforms, from 0.</param>
    /// <exception cref="ArgumentOutOfRangeException">The number is negative.</exception>
    public static IlgpuDevice OpenCl(int index = 0) => Of(IlgpuDeviceKind.OpenCl, index);

    /// <summary>The device as an option of a painter. The painter makes a backend of its own and disposes it.</summary>
    /// <param name="options">How the backend works; the defaults when left out.</param>
    public Device ForPainter(IlgpuOptions? options = null) => Device.Custom($"ilgpu {this}", () => new IlgpuBackend(this, options));

    /// <inheritdoc/>
    public override string ToString() => Kind switch
    {
        IlgpuDeviceKind.Cuda => $"cuda:{Index}",
        IlgpuDeviceKind.OpenCl => $"opencl:{Index}",
        IlgpuDeviceKind.Cpu => "cpu",
        _ => "auto",
    };

    static IlgpuDevice Of(IlgpuDeviceKind kind, int index)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(index);
        return new IlgpuDevice(kind, index);
    }
}
