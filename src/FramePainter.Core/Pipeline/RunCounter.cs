using FramePainter.Backends;
using FramePainter.Graphs;
using FramePainter.Tensors;

namespace FramePainter.Pipeline;

/// <summary>A counting backend that also knows how often each plan would run: driven by the very code that drives an edit.</summary>
internal sealed class RunCounter(ICountingBackend counting) : IBackend
{
    readonly Dictionary<Plan, int> _runs = [];

    /// <inheritdoc/>
    public string Description => counting.Description;

    /// <summary>How often each plan was run.</summary>
    public IReadOnlyDictionary<Plan, int> Runs => _runs;

    /// <inheritdoc/>
    public IWeightStore CreateStore(IWeightSource source) => counting.CreateStore(source);

    /// <inheritdoc/>
    public IDeviceBuffer Allocate(long bytes) => counting.Allocate(bytes);

    /// <inheritdoc/>
    public IExecutable Compile(Plan plan, IWeightStore weights) => new Executable(this, counting.Compile(plan, weights));

    /// <inheritdoc/>
    public void Dispose() => counting.Dispose();

    sealed class Executable(RunCounter counter, IExecutable counted) : IExecutable
    {
        public Plan Plan => counted.Plan;

        public long Bytes => counted.Bytes;

        public void Bind(Value value, IDeviceBuffer buffer, long byteOffset = 0)
        {
        }

        public void Run(CancellationToken cancel = default) => counter._runs[Plan] = counter._runs.GetValueOrDefault(Plan) + 1;

        public void Dispose() => counted.Dispose();
    }
}
