using System.Collections.Concurrent;
using System.Reflection;
using FramePainter.Backends;
using FramePainter.Graphs;
using FramePainter.Tensors;
using ILGPU;
using ILGPU.Runtime;
using ILGPU.Runtime.Cuda;
using ILGPU.Runtime.OpenCL;

namespace FramePainter.Ilgpu;

/// <summary>
/// Runs plans by ILGPU: on CUDA and OpenCL devices, with kernels written once in C#. Activations are float32, sums are float32.
/// A backend has an ILGPU context of its own; dispose executables, stores and buffers before it.
/// </summary>
public sealed class IlgpuBackend : IBackend
{
    readonly Context? _context;
    readonly AcceleratorStream? _copies;
    readonly ConcurrentDictionary<MethodInfo, Delegate> _launchers = new();
    readonly Lock _copying = new();
    readonly Lock _launching = new();
    readonly Lock _allocating = new();
    long? _limit;
    bool _disposed;

    /// <summary>Opens a device.</summary>
    /// <param name="device">Which one.</param>
    /// <param name="options">How to work; the defaults when left out.</param>
    /// <exception cref="DeviceException">There is no such device, or it will not do; the message lists every device seen and why it was passed over.</exception>
    public IlgpuBackend(IlgpuDevice device, IlgpuOptions? options = null)
        : this(device, options, prepare: null)
    {
    }

    internal IlgpuBackend(IlgpuDevice device, IlgpuOptions? options, Action<CLDevice>? prepare)
    {
        ArgumentNullException.ThrowIfNull(device);
        Options = options ?? new IlgpuOptions();
        RequireNamed(nameof(IlgpuOptions.Weights), Options.Weights);
        RequireNamed(nameof(IlgpuOptions.Activations), Options.Activations);

        (_context, Accelerator) = DeviceFinder.Open(device, prepare);
        try
        {
            _copies = CreateStream();
            LargestBlock = Accelerator.Device is CLDevice opencl
                ? Do("asking for its largest buffer", () => (long)Math.Min(long.MaxValue, CLAPI.CurrentAPI.GetDeviceInfo<ulong>(opencl.DeviceId, CLDeviceInfoType.CL_DEVICE_MAX_MEM_ALLOC_SIZE)))
                : null;
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>The same device, of whose memory nothing is taken: it is counted.</summary>
    /// <param name="device">The device; outlives this.</param>
    /// <param name="limit">Bytes that may be held; null for any number.</param>
    internal IlgpuBackend(IlgpuBackend device, long? limit)
    {
        (Options, Accelerator, Counts, LargestBlock) = (device.Options, device.Accelerator, true, device.LargestBlock);
        _limit = limit;
    }

    /// <inheritdoc/>
    public string Description => $"ILGPU {Accelerator.AcceleratorType}, {Accelerator.Name.Trim()}{(Options.Activations == ActivationStorage.Half ? ", activations as halves" : "")}";

    /// <summary>Bytes of the device's memory that the backend holds.</summary>
    public long HeldBytes => Tally.Held.Total;

    /// <summary>The most that <see cref="HeldBytes"/> ever was.</summary>
    public long PeakBytes => Tally.Peak.Total;

    /// <inheritdoc/>
    public long? MemoryLimit => _limit;

    internal IlgpuOptions Options { get; }

    internal Accelerator Accelerator { get; }

    /// <summary>Whether memory is only counted: no kernel is built and nothing is copied.</summary>
    internal bool Counts { get; }

    /// <summary>The most bytes that the driver gives in one piece; null where that is all there are.</summary>
    internal long? LargestBlock { get; }

    /// <summary>What is held of the device's memory.</summary>
    internal MemoryTally Tally { get; } = new();

    /// <inheritdoc/>
    public IWeightStore CreateStore(IWeightSource source) => new IlgpuWeights(this, source, Options.Weights);

    /// <inheritdoc/>
    public IDeviceBuffer Allocate(long bytes)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(bytes);
        return new IlgpuBuffer(this, bytes);
    }

    /// <inheritdoc/>
    public IExecutable Compile(Plan plan, IWeightStore weights)
    {
        ArgumentNullException.ThrowIfNull(plan);
        return weights is IlgpuWeights own && own.Backend == this
            ? new IlgpuExecutable(this, plan, own)
            : throw new ArgumentException("The store is of another backend.", nameof(weights));
    }

    /// <inheritdoc/>
    public bool LimitMemory(long bytes)
    {
        _limit = Math.Min(bytes, _limit ?? long.MaxValue);
        return true;
    }

    /// <inheritdoc/>
    public ICountingBackend CreateCounting(long? limit = null) => new IlgpuCounting(new IlgpuBackend(this, limit ?? _limit));

    static void RequireNamed<T>(string option, T value)
        where T : struct, Enum
    {
        if (!Enum.IsDefined(value))
        {
            throw new OptionException(option, $"{option} is {value}; it must be one of the kinds that are named.");
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (_disposed)
        {
            return;
        }

        _disposed = true;
        if (Counts)
        {
            return;
        }

        _launchers.Clear();
        IlgpuFailure.Release(_copies);
        IlgpuFailure.Release(Accelerator);
        IlgpuFailure.Release(_context);
    }

    /// <summary>A stream; null where nothing runs.</summary>
    /// <exception cref="DeviceException">The driver makes none.</exception>
    internal AcceleratorStream? CreateStream() => Counts ? null : Do("making a stream", Accelerator.CreateStream);

    /// <summary>Does something with the device, which is the thread's meanwhile.</summary>
    /// <param name="what">What it is, for people.</param>
    /// <param name="work">Does it.</param>
    /// <exception cref="DeviceException">The driver or ILGPU's compiler refuses.</exception>
    internal T Do<T>(string what, Func<T> work)
    {
        try
        {
            Bind();
            return work();
        }
        catch (Exception error) when (IlgpuFailure.Is(error))
        {
            throw Failure(what, error);
        }
    }

    /// <summary>The error that is raised where the driver or ILGPU's compiler raised another.</summary>
    internal DeviceException Failure(string what, Exception error) => new(
        $"{Description}: {what} failed ({IlgpuFailure.Reason(error)}). Load the painter anew; if that fails too, choose a smaller size or another device.", error);

    /// <summary>Makes the device the thread's. ILGPU believes it to be so still where another library has set a context of its own since.</summary>
    internal void Bind()
    {
        Accelerator.Bind();
        if (Accelerator is CudaAccelerator)
        {
            CudaException.ThrowIfFailed(CudaAPI.CurrentAPI.SetCurrentContext(Accelerator.NativePtr));
        }
    }

    /// <summary>Zeroed memory; at least one element, since no accelerator likes an empty buffer.</summary>
    /// <typeparam name="T">Its elements.</typeparam>
    /// <param name="count">How many.</param>
    /// <param name="what">Makes of its bytes what they are for.</param>
    /// <exception cref="PlanException">There is not enough, or more than the limit would be held.</exception>
    internal DeviceBlock<T> Allocate<T>(long count, Func<long, DeviceMemory> what)
        where T : unmanaged
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        ArgumentNullException.ThrowIfNull(what);
        count = Math.Max(1, count);
        var bytes = count * System.Runtime.CompilerServices.Unsafe.SizeOf<T>();
        lock (_allocating)
        {
            if (_limit is { } limit && Tally.Held.Total + bytes > limit)
            {
                throw new PlanException(
                    $"{Description}: the memory budget is {limit} bytes, {Tally.Held.Total} of it are in use, and {bytes} more are wanted. Raise {nameof(PainterOptions)}.{nameof(PainterOptions.MemoryBudget)}, or edit at a smaller size.");
            }

            if (bytes > LargestBlock)
            {
                throw new PlanException($"{Description}: {bytes} bytes are wanted in one piece, of which the driver gives {LargestBlock} at most. Edit at a smaller size.");
            }

            return new DeviceBlock<T>(Counts ? null : Take<T>(count, bytes), Tally, what(bytes));
        }
    }

    /// <summary>Copies to the device; not where memory is only counted.</summary>
    internal void CopyIn<T>(ArrayView<T> to, ReadOnlySpan<T> from)
        where T : unmanaged
    {
        if (Counts)
        {
            return;
        }

        Copy("copying to the device", to, from, static (stream, to, from) => to.CopyFromCPU(stream, from));
    }

    /// <summary>Copies from the device; zeros where memory is only counted.</summary>
    internal void CopyOut(ArrayView<float> from, Span<float> to)
    {
        if (Counts)
        {
            to.Clear();
            return;
        }

        Copy("copying from the device", from, to, static (stream, from, to) => from.CopyToCPU(stream, to));
    }

    void Copy<TView, THost>(string what, TView device, THost host, Action<AcceleratorStream, TView, THost> copy)
        where THost : allows ref struct
    {
        try
        {
            Bind();
            lock (_copying)
            {
                copy(_copies!, device, host);
                _copies!.Synchronize();
            }
        }
        catch (Exception error) when (IlgpuFailure.Is(error))
        {
            throw Failure(what, error);
        }
    }

    /// <summary>A kernel, compiled when it is first asked for; null where nothing runs.</summary>
    internal TLauncher Load<TLauncher>(Delegate kernel, Func<Accelerator, TLauncher> compile)
        where TLauncher : Delegate
    {
        if (Counts)
        {
            return null!;
        }

        if (_launchers.TryGetValue(kernel.Method, out var known))
        {
            return (TLauncher)known;
        }

        lock (_launching)
        {
            return (TLauncher)_launchers.GetOrAdd(kernel.Method, method => Do($"building the kernel '{method.Name}'", () => compile(Accelerator)));
        }
    }

    /// <summary>Queues work. One at a time: an OpenCL kernel holds its arguments until it is queued.</summary>
    internal Lock Launching => _launching;

    MemoryBuffer1D<T, Stride1D.Dense> Take<T>(long count, long bytes)
        where T : unmanaged
    {
        MemoryBuffer1D<T, Stride1D.Dense>? buffer = null;
        try
        {
            Bind();
            buffer = Accelerator.Allocate1D<T>(count);
            lock (_copying)
            {
                // Some drivers take the memory no sooner than here.
                buffer.MemSetToZero(_copies!);
                _copies!.Synchronize();
            }

            return buffer;
        }
        catch (Exception error) when (error is AcceleratorException or OutOfMemoryException)
        {
            IlgpuFailure.Release(buffer);
            throw new PlanException(
                $"{Description} has not the {bytes} bytes of memory asked for, of {Accelerator.MemorySize} in all ({IlgpuFailure.Reason(error)}). Choose a smaller size.", error);
        }
    }
}
