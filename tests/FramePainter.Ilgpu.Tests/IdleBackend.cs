using FramePainter.Backends;
using FramePainter.Graphs;
using FramePainter.Tensors;

namespace FramePainter.Ilgpu.Tests;

/// <summary>A backend that takes all its memory and runs nothing, for tests of memory alone. It is not given back.</summary>
internal sealed class IdleBackend(IlgpuBackend inner) : IBackend
{
    public string Description => inner.Description;

    public long? MemoryLimit => inner.MemoryLimit;

    public bool LimitMemory(long bytes) => inner.LimitMemory(bytes);

    public ICountingBackend? CreateCounting(long? limit = null) => inner.CreateCounting(limit);

    public IWeightStore CreateStore(IWeightSource source) => inner.CreateStore(source);

    public IDeviceBuffer Allocate(long bytes) => inner.Allocate(bytes);

    public IExecutable Compile(Plan plan, IWeightStore weights) => new Executable(inner.Compile(plan, weights));

    public void Dispose()
    {
    }

    sealed class Executable(IExecutable inner) : IExecutable
    {
        public Plan Plan => inner.Plan;

        public long Bytes => inner.Bytes;

        public void Bind(Value value, IDeviceBuffer buffer, long byteOffset = 0) => inner.Bind(value, buffer, byteOffset);

        public void Run(CancellationToken cancel = default)
        {
        }

        public void Dispose() => inner.Dispose();
    }
}
