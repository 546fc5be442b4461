using FramePainter.Graphs;
using FramePainter.Tensors;

namespace FramePainter.Backends.Cpu;

/// <summary>A plan with one kernel per op, an arena, and scratch as large as the neediest kernel wants.</summary>
internal sealed unsafe class CpuExecutable : IExecutable
{
    readonly CpuKernel[] _kernels;
    readonly CpuRun _run;
    readonly NativeBuffer _arena;
    readonly NativeBuffer _scratch;

    // Held since kernels point into what it holds.
    readonly CpuWeights _weights;

    // Held so that a buffer whose owner has dropped it is not given back while kernels still point into it.
    readonly Dictionary<Value, IDeviceBuffer> _bound = [];
    bool _disposed;

    public CpuExecutable(Plan plan, CpuWeights weights, WorkerPool pool)
    {
        (Plan, _weights) = (plan, weights);
        _kernels = [.. plan.Graph.Ops.Select(op => KernelFactory.Create(op, weights))];
        var values = plan.Graph.Inputs.Concat(plan.Graph.Ops.SelectMany(op => op.Outputs)).Max(v => v.Id) + 1;
        _run = new CpuRun(pool, values);
        var (perWorker, shared) = ScratchOf(_kernels);
        _arena = new NativeBuffer(plan.ArenaBytes);
        try
        {
            _scratch = new NativeBuffer((perWorker * pool.Workers) + shared);
        }
        catch
        {
            _arena.Dispose();
            throw;
        }

        var scratch = (byte*)_scratch.Pointer;
        _run.SetScratch(scratch, perWorker, scratch + (perWorker * pool.Workers));
        foreach (var (value, offset) in plan.Offsets)
        {
            _run.SetAddress(value, (nint)_arena.Pointer + (nint)offset);
        }
    }

    /// <inheritdoc/>
    public Plan Plan { get; }

    /// <inheritdoc/>
    public long Bytes => _arena.Bytes + _scratch.Bytes;

    /// <summary>Scratch bytes that the neediest of some kernels wants for each worker, and once.</summary>
    public static (long PerWorker, long Shared) ScratchOf(CpuKernel[] kernels) =>
        kernels.Length == 0 ? (0, 0) : (Align(kernels.Max(k => k.ScratchBytesPerWorker)), Align(kernels.Max(k => k.SharedScratchBytes)));

    /// <inheritdoc/>
    public void Bind(Value value, IDeviceBuffer buffer, long byteOffset = 0)
    {
        if (byteOffset % 16 != 0 || byteOffset < 0 || byteOffset + value.Bytes > buffer.Bytes)
        {
            throw new ArgumentOutOfRangeException(nameof(byteOffset), $"{value} takes {value.Bytes} bytes at an aligned offset; offset {byteOffset} of {buffer.Bytes} does not do.");
        }

        _bound[value] = buffer;
        _run.SetAddress(value, ((CpuBuffer)buffer).Address + (nint)byteOffset);
    }

    /// <inheritdoc/>
    public void Run(CancellationToken cancel = default)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        foreach (var value in Plan.Graph.Inputs.AsSpan())
        {
            RequireBound(value);
        }

        foreach (var value in Plan.Graph.Outputs.AsSpan())
        {
            RequireBound(value);
        }

        _run.Cancel = cancel;
        foreach (var kernel in _kernels)
        {
            kernel.Run(_run);
        }

        GC.KeepAlive(_weights);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _disposed = true;
        _arena.Dispose();
        _scratch.Dispose();
    }

    void RequireBound(Value value)
    {
        if (!_run.IsBound(value))
        {
            throw new InvalidOperationException($"{value} of '{Plan.Graph.Name}' is not bound.");
        }
    }

    static long Align(long bytes) => (bytes + NativeBuffer.Alignment - 1) / NativeBuffer.Alignment * NativeBuffer.Alignment;
}
