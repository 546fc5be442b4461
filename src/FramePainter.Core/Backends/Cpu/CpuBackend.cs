using FramePainter.Graphs;
using FramePainter.Tensors;

namespace FramePainter.Backends.Cpu;

/// <summary>Runs plans on the processor, in float32, without native code.</summary>
internal sealed class CpuBackend(int threads, Simd.InstructionPath? path = null, WinogradUse winograd = WinogradUse.WhereFaster) : IBackend
{
    readonly WorkerPool _pool = new(threads);

    /// <inheritdoc/>
    public string Description => $"CPU, {_pool.Workers} thread{(_pool.Workers == 1 ? "" : "s")}, {path ?? Simd.InstructionPaths.Best}";

    /// <inheritdoc/>
    public IWeightStore CreateStore(IWeightSource source) => new CpuWeights(source, path, winograd);

    /// <inheritdoc/>
    public IDeviceBuffer Allocate(long bytes) => new CpuBuffer(bytes);

    /// <inheritdoc/>
    public IExecutable Compile(Plan plan, IWeightStore weights) => new CpuExecutable(plan, (CpuWeights)weights, _pool);

    /// <inheritdoc/>
    public void Dispose() => _pool.Dispose();
}

/// <summary>Native memory as a device buffer.</summary>
internal sealed class CpuBuffer(long bytes) : IDeviceBuffer
{
    readonly NativeBuffer _memory = new(bytes);

    /// <inheritdoc/>
    public long Bytes => _memory.Bytes;

    internal unsafe nint Address => (nint)_memory.Pointer;

    /// <inheritdoc/>
    public void Write(ReadOnlySpan<float> source, long byteOffset = 0) => source.CopyTo(_memory.Span<float>(byteOffset, source.Length));

    /// <inheritdoc/>
    public void Read(Span<float> destination, long byteOffset = 0) => _memory.Span<float>(byteOffset, destination.Length).CopyTo(destination);

    /// <inheritdoc/>
    public void Dispose() => _memory.Dispose();
}
