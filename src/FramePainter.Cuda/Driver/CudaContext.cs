using System.Runtime.CompilerServices;

namespace FramePainter.Cuda.Driver;

/// <summary>One device with its primary context, its kernels loaded, its memory and a stream for copies. Thread-safe.</summary>
internal unsafe partial class CudaContext : IDisposable
{
    /// <summary>The first driver that takes PTX 8.0 and has tensor maps: CUDA 12.0.</summary>
    const int OldestHopperDriver = 12000;

    const int NonBlocking = 1;
    const int NoTiming = 2;
    protected const int StagingBytes = 4 << 20;

    readonly int _device;
    readonly nint _context;
    readonly KernelLibrary? _kernels;
    readonly DevicePool? _pool;
    readonly Lock _copying = new();
    readonly nint _copies;
    readonly nint _staging;
    int _disposed;

    /// <summary>Opens a device.</summary>
    /// <param name="ordinal">Its number.</param>
    /// <param name="budget">Bytes that it may give out; null for all it has.</param>
    /// <param name="halves">Of which its kernels are.</param>
    /// <exception cref="DeviceException">It cannot be used; the message says why.</exception>
    public CudaContext(int ordinal, long? budget = null, Halves halves = Halves.Float16)
    {
        Halves = halves;
        (_device, Info) = DriverDevices.Open(ordinal);
        RequireRoom(NativeDriver.cuDevicePrimaryCtxRetain(out _context, _device));
        try
        {
            MakeCurrent();
            RequireRoom(NativeDriver.cuStreamCreate(out _copies, NonBlocking));
            RequireRoom(NativeDriver.cuMemAllocHost_v2(out _staging, StagingBytes));
            _kernels = new KernelLibrary(RunsHopper(Info), halves);
            IsHopper = _kernels.HasHopper;
            _pool = new DevicePool(this, budget);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>The same device with its kernels, and memory of its own that is not the device's.</summary>
    /// <param name="device">The device; outlives this.</param>
    /// <param name="budget">Bytes that it may give out; null for any number.</param>
    private protected CudaContext(CudaContext device, long? budget)
    {
        (_device, _context, _kernels, Info, IsHopper, Halves) = (device._device, device._context, device._kernels, device.Info, device.IsHopper, device.Halves);
        _pool = new DevicePool(this, budget);
    }

    /// <summary>The device.</summary>
    public CudaDeviceInfo Info { get; }

    /// <summary>Whether memory is only counted: addresses lead nowhere, and nothing is copied there.</summary>
    public virtual bool Counts => false;

    /// <summary>How many multiprocessors it has.</summary>
    public int Multiprocessors => Info.Multiprocessors;

    /// <summary>Whether kernels for sm_90a run on it: on compute capability 9.0 alone, by a driver that takes their PTX and writes tensor maps.</summary>
    public bool IsHopper { get; }

    /// <summary>What its kernels multiply, and keep inside a plan.</summary>
    public Halves Halves { get; }

    /// <summary>Its kernels.</summary>
    public KernelLibrary Kernels => _kernels!;

    /// <summary>Its memory.</summary>
    public DevicePool Pool => _pool!;

    /// <summary>Makes the context the calling thread's; before any other call.</summary>
    public void MakeCurrent() => DriverCall.Check(NativeDriver.cuCtxSetCurrent(_context));

    /// <summary>The same before memory and handles are given back, which is tried whatever the context's state: after a fault of a kernel every call fails.</summary>
    public void TryMakeCurrent() => _ = NativeDriver.cuCtxSetCurrent(_context);

    /// <summary>A new stream; the caller destroys it.</summary>
    public virtual nint CreateStream()
    {
        MakeCurrent();
        DriverCall.Check(NativeDriver.cuStreamCreate(out var stream, NonBlocking));
        return stream;
    }

    /// <summary>A new event, for order alone; the caller destroys it.</summary>
    public virtual nint CreateEvent()
    {
        MakeCurrent();
        DriverCall.Check(NativeDriver.cuEventCreate(out var created, NoTiming));
        return created;
    }

    /// <summary>Copies to the device; done when it returns.</summary>
    public virtual void Upload(ulong destination, PinnedBlock source)
    {
        lock (_copying)
        {
            MakeCurrent();
            source.Upload(destination, _copies);
            DriverCall.Check(NativeDriver.cuStreamSynchronize(_copies));
        }
    }

    /// <summary>Copies to the device, through pinned memory; done when it returns.</summary>
    public virtual void Upload(ulong destination, ReadOnlySpan<byte> source)
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
    public virtual void Download(Span<byte> destination, ulong source)
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
    public virtual void Clear(ulong address, long bytes)
    {
        lock (_copying)
        {
            MakeCurrent();
            DriverCall.Check(NativeDriver.cuMemsetD8Async(address, 0, (nuint)bytes, _copies));
            DriverCall.Check(NativeDriver.cuStreamSynchronize(_copies));
        }
    }

    /// <summary>Takes memory of the device; returns the driver's code.</summary>
    public virtual int Take(out ulong address, long bytes) => NativeDriver.cuMemAlloc_v2(out address, (nuint)bytes);

    /// <summary>Gives it back.</summary>
    public virtual void GiveBack(ulong address) => _ = NativeDriver.cuMemFree_v2(address);

    /// <summary>Takes pinned memory of the host; returns the driver's code.</summary>
    public virtual int TakePinned(out nint address, long bytes) => NativeDriver.cuMemAllocHost_v2(out address, (nuint)bytes);

    /// <summary>Gives it back.</summary>
    public virtual void GiveBackPinned(nint address, long bytes) => _ = NativeDriver.cuMemFreeHost(address);

    /// <inheritdoc/>
    public void Dispose()
    {
        // What a second time gave back would be another's by then.
        if (Interlocked.Exchange(ref _disposed, 1) != 0)
        {
            return;
        }

        TryMakeCurrent();
        _pool?.Dispose();
        if (Counts)
        {
            return;
        }

        _kernels?.Dispose();
        if (_staging != 0)
        {
            _ = NativeDriver.cuMemFreeHost(_staging);
        }

        if (_copies != 0)
        {
            _ = NativeDriver.cuStreamDestroy_v2(_copies);
        }

        _ = NativeDriver.cuDevicePrimaryCtxRelease_v2(_device);
    }

    static bool RunsHopper(CudaDeviceInfo device) => DriverDevices.Version >= OldestHopperDriver && device.Capability == new Version(9, 0);

    /// <summary>A call while the device is opened; where memory is missing, it is another program that has it.</summary>
    void RequireRoom(int code, [CallerArgumentExpression(nameof(code))] string call = "")
    {
        if (code == DriverCall.OutOfMemory)
        {
            throw new DeviceException($"{Info}, has no memory left to begin with ({DriverCall.ErrorName(code)}); it has {Info.MemoryBytes >> 20} MiB in all. Close other programs that use it (nvidia-smi names them), or use another device.");
        }

        DriverCall.Check(code, call);
    }
}
