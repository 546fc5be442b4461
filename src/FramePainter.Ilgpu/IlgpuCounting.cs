using FramePainter.Backends;
using FramePainter.Graphs;
using FramePainter.Tensors;

namespace FramePainter.Ilgpu;

/// <summary>What plans take of a device: stores, buffers and executables of this package over memory that is counted.</summary>
internal sealed class IlgpuCounting(IlgpuBackend counted) : ICountingBackend
{
    IlgpuWeights? _weights;

    /// <inheritdoc/>
    public string Description => $"{counted.Description}, counted";

    /// <inheritdoc/>
    public bool IsHost => false;

    /// <inheritdoc/>
    public DeviceMemory Peak => counted.Tally.Peak;

    /// <inheritdoc/>
    public DeviceMemory MostInUse => counted.Tally.MostInUse;

    /// <inheritdoc/>
    public long HostBytes => _weights?.LargestPacking ?? 0;

    /// <inheritdoc/>
    public IWeightStore CreateStore(IWeightSource source) => _weights = (IlgpuWeights)counted.CreateStore(source);

    /// <inheritdoc/>
    public IDeviceBuffer Allocate(long bytes) => counted.Allocate(bytes);

    /// <inheritdoc/>
    public IExecutable Compile(Plan plan, IWeightStore weights) => counted.Compile(plan, weights);

    /// <inheritdoc/>
    public void Dispose() => counted.Dispose();
}
