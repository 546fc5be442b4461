using System.Text;

namespace FramePainter.Cuda.Driver;

/// <summary>One device with its primary context, its kernels loaded, its memory and a stream for copies. Thread-safe.</summary>
internal sealed unsafe class CudaContext : IDisposable
{
    /// <summary>The first driver that takes PTX 7.8: CUDA 11.8.</summary>
    const int OldestDriver = 11080;

    /// <summary>The first driver that takes PTX 8.0 and has tensor maps: CUDA 12.0.</summary>
    const int OldestHopperDriver = 12000;

    const int MajorAttribute = 75;
    const int MinorAttribute = 76;
    const int MultiprocessorsAttribute = 16;
    const int NonBlocking = 1;
    const int StagingBytes = 4 << 20;

    readonly int _device;
    readonly nint _context;
    readonly KernelLibrary? _kernels;
    readonly DevicePool? _pool;
    readonly Lock _copying = new();
    readonly nint _copies;
    readonly nint _staging;

    public CudaContext(int ordinal)
    {
        (_device, Name) = Open(ordinal);
        IsHopper = RunsHopper(_device);
        DriverCall.Check(NativeDriver.cuDeviceGetAttribute(out var multiprocessors, MultiprocessorsAttribute, _device));
        Multiprocessors = multiprocessors;
        DriverCall.Check(NativeDriver.cuDevicePrimaryCtxRetain(out _context, _device));
        try
        {
            MakeCurrent();
            DriverCall.Check(NativeDriver.cuStreamCreate(out _copies, NonBlocking));
            DriverCall.Check(NativeDriver.cuMemAllocHost_v2(out _staging, StagingBytes));
            _kernels = new KernelLibrary(IsHopper);
            _pool = new DevicePool(this);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>The device's name.</summary>
    public string Name { get; }

    /// <summary>How many multiprocessors it has.</summary>
    public int Multiprocessors { get; }

    /// <summary>Whether kernels for sm_90a run on it: on compute capability 9.0 alone, by a driver that reads their PTX and writes tensor maps.</summary>
    public bool IsHopper { get; }

    /// <summary>Its kernels.</summary>
    public KernelLibrary Kernels => _kernels!;

    /// <summary>Its memory.</summary>
    public DevicePool Pool => _pool!;

    /// <summary>Makes the context the calling thread's; before any other call.</summary>
    public void MakeCurrent() => DriverCall.Check(NativeDriver.cuCtxSetCurrent(_context));

    /// <summary>A new stream; the caller destroys it.</summary>
    public nint CreateStream()
    {
        MakeCurrent();
        DriverCall.Check(NativeDriver.cuStreamCreate(out var stream, NonBlocking));
        return stream;
    }

    /// <summary>Copies to the device, through pinned memory; done when it returns.</summary>
    public void Upload(ulong destination, ReadOnlySpan<byte> source)
    {
        lock (_copying)
        {
            MakeCurrent();
            for (var at = 0; at < source.Length; at += StagingBytes)
            {
                var part = source[at..Math.Min(at + StagingBytes, source.Length)];
                part.CopyTo(new Span<byte>((void*)_staging, part.Length));
                DriverCall.Check(NativeDriver.cuMemcpyHtoDAsync_v2(destination + (ulong)at, (void*)_staging, (nuint)part.Length, _copies));
                DriverCall.Check(NativeDriver.cuStreamSynchronize(_copies));
            }
        }
    }

    /// <summary>Copies from the device, through pinned memory.</summary>
    public void Download(Span<byte> destination, ulong source)
    {
        lock (_copying)
        {
            MakeCurrent();
            for (var at = 0; at < destination.Length; at += StagingBytes)
            {
                var part = destination[at..Math.Min(at + StagingBytes, destination.Length)];
                DriverCall.Check(NativeDriver.cuMemcpyDtoHAsync_v2((void*)_staging, source + (ulong)at, (nuint)part.Length, _copies));
                DriverCall.Check(NativeDriver.cuStreamSynchronize(_copies));
                new ReadOnlySpan<byte>((void*)_staging, part.Length).CopyTo(part);
            }
        }
    }

    /// <summary>Fills device memory with zeros; done when it returns.</summary>
    public void Clear(ulong address, long bytes)
    {
        lock (_copying)
        {
            MakeCurrent();
            DriverCall.Check(NativeDriver.cuMemsetD8Async(address, 0, (nuint)bytes, _copies));
            DriverCall.Check(NativeDriver.cuStreamSynchronize(_copies));
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (NativeDriver.cuCtxSetCurrent(_context) == 0)
        {
            _pool?.Dispose();
            _kernels?.Dispose();
            if (_staging != 0)
            {
                _ = NativeDriver.cuMemFreeHost(_staging);
            }

            if (_copies != 0)
            {
                _ = NativeDriver.cuStreamDestroy_v2(_copies);
            }
        }

        _ = NativeDriver.cuDevicePrimaryCtxRelease_v2(_device);
    }

    static bool RunsHopper(int device)
    {
        DriverCall.Check(NativeDriver.cuDriverGetVersion(out var version));
        DriverCall.Check(NativeDriver.cuDeviceGetAttribute(out var major, MajorAttribute, device));
        DriverCall.Check(NativeDriver.cuDeviceGetAttribute(out var minor, MinorAttribute, device));
        return version >= OldestHopperDriver && (major, minor) == (9, 0);
    }

    static (int Device, string Name) Open(int ordinal)
    {
        int code;
        try
        {
            code = NativeDriver.cuInit(0);
        }
        catch (Exception error) when (error is DllNotFoundException or EntryPointNotFoundException or BadImageFormatException)
        {
            throw new DeviceException($"The NVIDIA driver cannot be used: {error.Message}", error);
        }

        if (code != 0)
        {
            throw new DeviceException($"The NVIDIA driver found no usable device: cuInit gave {DriverCall.ErrorName(code)}.");
        }

        DriverCall.Check(NativeDriver.cuDriverGetVersion(out var version));
        if (version < OldestDriver)
        {
            throw new DeviceException($"The NVIDIA driver is of CUDA {version / 1000}.{version % 1000 / 10}; FramePainter wants {OldestDriver / 1000}.{OldestDriver % 1000 / 10} or later. Install a newer driver.");
        }

        DriverCall.Check(NativeDriver.cuDeviceGetCount(out var count));
        if (ordinal < 0 || ordinal >= count)
        {
            throw new DeviceException($"There is no CUDA device {ordinal}; the driver knows {count}.");
        }

        DriverCall.Check(NativeDriver.cuDeviceGet(out var device, ordinal));
        var text = stackalloc byte[256];
        DriverCall.Check(NativeDriver.cuDeviceGetName(text, 256, device));
        var name = Encoding.UTF8.GetString(text, new ReadOnlySpan<byte>(text, 256).IndexOf((byte)0));
        DriverCall.Check(NativeDriver.cuDeviceGetAttribute(out var major, MajorAttribute, device));
        DriverCall.Check(NativeDriver.cuDeviceGetAttribute(out var minor, MinorAttribute, device));
        if (major < 8)
        {
            throw new DeviceException($"CUDA device {ordinal}, {name}, has compute capability {major}.{minor}; FramePainter wants 8.0 (Ampere) or later.");
        }

        return (device, name);
    }
}
