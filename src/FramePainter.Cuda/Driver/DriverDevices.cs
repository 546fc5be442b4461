using System.Text;

namespace FramePainter.Cuda.Driver;

/// <summary>Starts the driver and asks it for its devices.</summary>
internal static unsafe class DriverDevices
{
    /// <summary>The first driver that takes PTX 7.8, that of the kernels for compute capability 8.0: CUDA 11.8.</summary>
    public const int OldestDriver = 11080;

    const string OldestRelease = "520";
    const int NoDevice = 100;
    const int MultiprocessorsAttribute = 16;
    const int MajorAttribute = 75;
    const int MinorAttribute = 76;

    /// <summary>All devices.</summary>
    /// <exception cref="DeviceException">There is no driver, it is too old, or it knows no device.</exception>
    public static IReadOnlyList<CudaDeviceInfo> List()
    {
        Start();
        DriverCall.Check(NativeDriver.cuDeviceGetCount(out var count));
        return [.. Enumerable.Range(0, count).Select(ordinal => Describe(ordinal).Info)];
    }

    /// <summary>A device that will do.</summary>
    /// <param name="ordinal">Its number.</param>
    /// <exception cref="DeviceException">There is no driver, it is too old, there is no such device, or it is too old.</exception>
    public static (int Handle, CudaDeviceInfo Info) Open(int ordinal)
    {
        var all = List();
        if (ordinal < 0 || ordinal >= all.Count)
        {
            throw new DeviceException($"There is no CUDA device {ordinal}; the driver knows {all.Count}: {string.Join("; ", all)}. Take one of these, or another kind of device.");
        }

        var (handle, info) = Describe(ordinal);
        return info.Fits
            ? (handle, info)
            : throw new DeviceException($"{info}, has compute capability {info.Capability}; FramePainter wants {CudaDeviceInfo.LeastCapability} (Ampere, 2020) or later. Use another device.");
    }

    static void Start()
    {
        int code;
        try
        {
            code = NativeDriver.cuInit(0);
        }
        catch (Exception error) when (error is DllNotFoundException or EntryPointNotFoundException or BadImageFormatException)
        {
            throw new DeviceException($"The NVIDIA driver cannot be used: {error.Message} Install it anew, or use another device.", error);
        }

        if (code == NoDevice)
        {
            throw new DeviceException($"The NVIDIA driver found no device: {DriverCall.ErrorName(code)}. See whether a card is fitted and not hidden by CUDA_VISIBLE_DEVICES, or use another device.");
        }

        if (code != 0)
        {
            throw new DeviceException($"The NVIDIA driver does not start: {DriverCall.ErrorName(code)}. After an update of the driver the machine must be restarted; nvidia-smi may say more.");
        }

        var version = Version;
        if (version < OldestDriver)
        {
            throw new DeviceException($"The NVIDIA driver is of CUDA {Release(version)}; FramePainter wants {Release(OldestDriver)} or later. Install a driver of version {OldestRelease} or later, or use another device.");
        }
    }

    /// <summary>The driver's CUDA version: 12040 for 12.4.</summary>
    public static int Version
    {
        get
        {
            DriverCall.Check(NativeDriver.cuDriverGetVersion(out var version));
            return version;
        }
    }

    static (int Handle, CudaDeviceInfo Info) Describe(int ordinal)
    {
        DriverCall.Check(NativeDriver.cuDeviceGet(out var device, ordinal));
        var text = stackalloc byte[256];
        DriverCall.Check(NativeDriver.cuDeviceGetName(text, 256, device));
        var name = Encoding.UTF8.GetString(text, new ReadOnlySpan<byte>(text, 256).IndexOf((byte)0));
        DriverCall.Check(NativeDriver.cuDeviceTotalMem_v2(out var memory, device));
        return (device, new CudaDeviceInfo(ordinal, name, new Version(Ask(device, MajorAttribute), Ask(device, MinorAttribute)), (long)memory, Ask(device, MultiprocessorsAttribute)));
    }

    static int Ask(int device, int attribute)
    {
        DriverCall.Check(NativeDriver.cuDeviceGetAttribute(out var value, attribute, device));
        return value;
    }

    static string Release(int version) => $"{version / 1000}.{version % 1000 / 10}";
}
