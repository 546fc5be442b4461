using FramePainter.Graphs;
using FramePainter.Tensors;

namespace FramePainter.Backends.Cpu;

/// <summary>Runs plans on the processor, without native code. All but products is float32.</summary>
internal sealed class CpuBackend : IBackend
{
    readonly WorkerPool _pool;
    readonly ProductNumbers _numbers;
    readonly WinogradUse _winograd;

    /// <summary>Starts the threads.</summary>
    /// <param name="threads">How many.</param>
    /// <param name="path">The instructions of the kernels; the widest when left out.</param>
    /// <param name="numbers">In which numbers products are computed; float32 with weights as stored when left out.</param>
    /// <param name="winograd">Which convolutions run by Winograd's algorithm.</param>
    public CpuBackend(int threads, Simd.InstructionPath? path = null, CpuNumbers? numbers = null, WinogradUse winograd = WinogradUse.WhereFaster)
    {
        _winograd = winograd;
        _numbers = ProductNumbers.Of(path ?? Simd.InstructionPaths.Best, numbers ?? CpuNumbers.Default);
        _pool = new WorkerPool(threads);
    }

    /// <inheritdoc/>
    public string Description => $"CPU, {_pool.Workers} thread{(_pool.Workers == 1 ? "" : "s")}, {_numbers.Path}{_numbers.Text}{(_winograd == WinogradUse.Never ? ", without Winograd" : "")}";

    /// <inheritdoc/>
    public IWeightStore CreateStore(IWeightSource source) => new CpuWeights(source, _numbers, _winograd, _pool.Workers);

    /// <inheritdoc/>
    public IDeviceBuffer Allocate(long bytes) => new CpuBuffer(bytes);

    /// <inheritdoc/>
    public IExecutable Compile(Plan plan, IWeightStore weights) => new CpuExecutable(plan, (CpuWeights)weights, _pool);

    /// <inheritdoc/>
    public ICountingBackend CreateCounting(long? limit = null) => new CpuCounting(_numbers, _winograd, _pool.Workers);

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
