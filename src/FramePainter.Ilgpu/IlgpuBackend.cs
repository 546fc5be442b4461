using System.Collections.Concurrent;
using System.Reflection;
using FramePainter.Backends;
using FramePainter.Graphs;
using FramePainter.Tensors;
using ILGPU;
using ILGPU.Runtime;
using ILGPU.Runtime.OpenCL;

namespace FramePainter.Ilgpu;

/// <summary>
/// Runs plans by ILGPU: on CUDA and OpenCL devices, with kernels written once in C#. Activations are float32, sums are float32.
/// A backend has an ILGPU context of its own; dispose executables, stores and buffers before it.
/// </summary>
public sealed class IlgpuBackend : IBackend
{
    readonly Context _context;
    readonly AcceleratorStream _copies;
    readonly ConcurrentDictionary<MethodInfo, Delegate> _launchers = new();
    readonly Lock _copying = new();
    readonly Lock _launching = new();
    readonly IlgpuOptions _options;
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
        _options = options ?? new IlgpuOptions();
        if (!Enum.IsDefined(_options.Weights))
        {
            throw new OptionException(nameof(IlgpuOptions.Weights), $"Weights is {_options.Weights}; it must be one of the kinds that are named.");
        }

        (_context, Accelerator) = DeviceFinder.Open(device, prepare);
        _copies = Accelerator.CreateStream();
    }

    /// <inheritdoc/>
    public string Description => $"ILGPU {Accelerator.AcceleratorType}, {Accelerator.Name.Trim()}";

    internal Accelerator Accelerator { get; }

    /// <inheritdoc/>
    public IWeightStore CreateStore(IWeightSource source) => new IlgpuWeights(this, source, _options.Weights);

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
    public void Dispose()
    {
        if (_disposed)
        {
            return;
        }

        _disposed = true;
        _launchers.Clear();
        _copies.Dispose();
        Accelerator.Dispose();
        _context.Dispose();
    }

    internal AcceleratorStream CreateStream()
    {
        Accelerator.Bind();
        return Accelerator.CreateStream();
    }

    /// <summary>Zeroed floats; at least one, since no accelerator likes an empty buffer.</summary>
    internal MemoryBuffer1D<float, Stride1D.Dense> AllocateFloats(long count) => Allocate<float>(count);

    /// <summary>Zeroed memory.</summary>
    internal MemoryBuffer1D<T, Stride1D.Dense> Allocate<T>(long count)
        where T : unmanaged
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        Accelerator.Bind();
        try
        {
            var buffer = Accelerator.Allocate1D<T>(Math.Max(1, count));
            lock (_copying)
            {
                buffer.MemSetToZero(_copies);
                _copies.Synchronize();
            }

            return buffer;
        }
        catch (Exception error) when (error is AcceleratorException or OutOfMemoryException)
        {
            throw new PlanException(
                $"{Description} has not the {count * System.Runtime.CompilerServices.Unsafe.SizeOf<T>()} bytes of memory asked for, of {Accelerator.MemorySize} in all. Choose a smaller size.", error);
        }
    }

    internal void CopyIn<T>(ArrayView<T> to, ReadOnlySpan<T> from)
        where T : unmanaged
    {
        Accelerator.Bind();
        lock (_copying)
        {
            to.CopyFromCPU(_copies, from);
            _copies.Synchronize();
        }
    }

    internal void CopyOut(ArrayView<float> from, Span<float> to)
    {
        Accelerator.Bind();
        lock (_copying)
        {
            from.CopyToCPU(_copies, to);
            _copies.Synchronize();
        }
    }

    /// <summary>A kernel, compiled when it is first asked for.</summary>
    internal TLauncher Load<TLauncher>(Delegate kernel, Func<Accelerator, TLauncher> compile)
        where TLauncher : Delegate
    {
        if (_launchers.TryGetValue(kernel.Method, out var known))
        {
            return (TLauncher)known;
        }

        lock (_launching)
        {
            Accelerator.Bind();
            return (TLauncher)_launchers.GetOrAdd(kernel.Method, _ => compile(Accelerator));
        }
    }

    /// <summary>Queues work. One at a time: an OpenCL kernel holds its arguments until it is queued.</summary>
    internal Lock Launching => _launching;
}
