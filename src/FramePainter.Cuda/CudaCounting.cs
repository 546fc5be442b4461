using FramePainter.Backends;
using FramePainter.Cuda.Driver;
using FramePainter.Graphs;
using FramePainter.Tensors;

namespace FramePainter.Cuda;

/// <summary>What plans take of a GPU: stores, buffers and executables of this package over memory that is counted.</summary>
/// <param name="device">The device; outlives this.</param>
/// <param name="budget">Bytes that it may give out; null for any number.</param>
/// <param name="weightMemory">Bytes of it that matrices may fill, the rest staying on the host; null keeps all on the device.</param>
/// <param name="tuning">Choices between kernels, which differ in scratch memory.</param>
internal sealed class CudaCounting(CudaContext device, long? budget, long? weightMemory, CudaTuning tuning) : ICountingBackend
{
    readonly CountingContext _context = new(device, budget);
    CudaWeights? _weights;

    /// <inheritdoc/>
    public string Description => $"CUDA, {_context.Info.Name}, counted";

    /// <inheritdoc/>
    public bool IsHost => false;

    /// <inheritdoc/>
    public DeviceMemory Peak => _context.Pool.Tally.Peak;

    /// <inheritdoc/>
    public DeviceMemory MostInUse => _context.Pool.Tally.MostInUse;

    /// <inheritdoc/>
    public long HostBytes => _context.PinnedPeak + (_weights?.LargestPacking ?? 0);

    /// <inheritdoc/>
    public IWeightStore CreateStore(IWeightSource source) => _weights = new CudaWeights(_context, source, weightMemory);

    /// <inheritdoc/>
    public IDeviceBuffer Allocate(long bytes) => new CudaBuffer(_context, bytes);

    /// <inheritdoc/>
    public IExecutable Compile(Plan plan, IWeightStore weights) => new CudaExecutable(plan, (CudaWeights)weights, _context, tuning);

    /// <inheritdoc/>
    public void Dispose() => _context.Dispose();
}
