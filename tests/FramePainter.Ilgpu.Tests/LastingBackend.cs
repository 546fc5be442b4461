using FramePainter.Backends;
using FramePainter.Graphs;
using FramePainter.Tensors;

namespace FramePainter.Ilgpu.Tests;

/// <summary>A backend that outlives the tests that dispose it; it ends with the process.</summary>
internal sealed class LastingBackend(IBackend inner) : IBackend
{
    public string Description => inner.Description;

    public IWeightStore CreateStore(IWeightSource source) => inner.CreateStore(source);

    public IDeviceBuffer Allocate(long bytes) => inner.Allocate(bytes);

    public IExecutable Compile(Plan plan, IWeightStore weights) => inner.Compile(plan, weights);

    public ICountingBackend? CreateCounting(long? limit = null) => inner.CreateCounting(limit);

    public void Dispose()
    {
    }
}
