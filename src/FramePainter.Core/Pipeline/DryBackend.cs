using FramePainter.Backends;
using FramePainter.Graphs;
using FramePainter.Tensors;

namespace FramePainter.Pipeline;

/// <summary>Memory that an edit holds at one moment, in bytes.</summary>
/// <param name="Weights">Packed weights; while they are packed, with what they are packed from.</param>
/// <param name="Arena">Values inside the plans that are compiled.</param>
/// <param name="Workspace">Scratch of their kernels, values at their borders and the table of control features.</param>
internal readonly record struct HeldMemory(long Weights, long Arena, long Workspace)
{
    /// <summary>All of it.</summary>
    public long Total => Weights + Arena + Workspace;
}

/// <summary>
/// A backend that takes no memory and runs nothing, but knows what would be held at every moment and how often each plan would run: driven by the
/// very code that drives an edit.
/// </summary>
internal sealed class DryBackend(IPlanMeter meter, string description) : IBackend
{
    readonly Dictionary<Plan, int> _runs = [];
    long _arena;
    long _workspace;
    long _packing;

    /// <inheritdoc/>
    public string Description => description;

    /// <summary>The moment at which most was held.</summary>
    public HeldMemory Peak { get; private set; }

    /// <summary>How often each plan was run.</summary>
    public IReadOnlyDictionary<Plan, int> Runs => _runs;

    /// <inheritdoc/>
    public IWeightStore CreateStore(IWeightSource source) => new Store(meter);

    /// <inheritdoc/>
    public IDeviceBuffer Allocate(long bytes)
    {
        Hold(0, bytes);
        return new Buffer(this, bytes);
    }

    /// <inheritdoc/>
    public IExecutable Compile(Plan plan, IWeightStore weights)
    {
        var memory = meter.Measure(plan);
        if (meter.PackingBytes > _packing)
        {
            _packing = meter.PackingBytes;
            Note(_packing);
        }

        Hold(memory.Arena, memory.Scratch);
        return new Executable(this, plan, memory);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
    }

    void Hold(long arena, long workspace)
    {
        _arena += arena;
        _workspace += workspace;
        Note(meter.WeightBytes);
    }

    void Note(long weights)
    {
        var now = new HeldMemory(weights, _arena, _workspace);
        Peak = now.Total > Peak.Total ? now : Peak;
    }

    sealed class Store(IPlanMeter meter) : IWeightStore
    {
        public long Bytes => meter.WeightBytes;

        public void Dispose()
        {
        }
    }

    sealed class Buffer(DryBackend backend, long bytes) : IDeviceBuffer
    {
        bool _given;

        public long Bytes => bytes;

        public void Write(ReadOnlySpan<float> source, long byteOffset = 0)
        {
        }

        public void Read(Span<float> destination, long byteOffset = 0) => destination.Clear();

        public void Dispose()
        {
            backend.Hold(0, _given ? 0 : -bytes);
            _given = true;
        }
    }

    sealed class Executable(DryBackend backend, Plan plan, PlanMemory memory) : IExecutable
    {
        bool _given;

        public Plan Plan => plan;

        public long Bytes => memory.Arena + memory.Scratch;

        public void Bind(Value value, IDeviceBuffer buffer, long byteOffset = 0)
        {
        }

        public void Run(CancellationToken cancel = default) => backend._runs[plan] = backend._runs.GetValueOrDefault(plan) + 1;

        public void Dispose()
        {
            backend.Hold(_given ? 0 : -memory.Arena, _given ? 0 : -memory.Scratch);
            _given = true;
        }
    }
}
