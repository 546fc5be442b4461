using FramePainter.Graphs;
using FramePainter.Tensors;

namespace FramePainter.Backends.Cpu;

/// <summary>What plans take on the processor: kernels are made over weights that are counted, not packed, and say what scratch they want.</summary>
internal sealed class CpuCounting(ProductNumbers numbers, WinogradUse winograd, int workers) : ICountingBackend
{
    readonly MemoryTally _tally = new();
    long _packing;

    /// <inheritdoc/>
    public string Description => "CPU, counted";

    /// <inheritdoc/>
    public bool IsHost => true;

    /// <inheritdoc/>
    public DeviceMemory Peak => _tally.Peak;

    /// <inheritdoc/>
    public DeviceMemory MostInUse => _tally.MostInUse;

    /// <inheritdoc/>
    public long HostBytes => 0;

    /// <inheritdoc/>
    public IWeightStore CreateStore(IWeightSource source) => new CpuWeights(source, numbers, winograd, countsOnly: true);

    /// <inheritdoc/>
    public IDeviceBuffer Allocate(long bytes) => new Buffer(_tally, bytes);

    /// <inheritdoc/>
    public IExecutable Compile(Plan plan, IWeightStore weights)
    {
        var counted = (CpuWeights)weights;
        CpuKernel[] kernels = [.. plan.Graph.Ops.Select(op => KernelFactory.Create(op, counted))];
        var held = _tally.Held.Weights;
        if (counted.PackingBytes > _packing)
        {
            _packing = counted.PackingBytes;
            _tally.Touch(new DeviceMemory(_packing - held, 0, 0));
        }

        _tally.Add(new DeviceMemory(counted.Bytes - held, 0, 0));
        var (perWorker, shared) = CpuExecutable.ScratchOf(kernels);
        return new Executable(_tally, plan, new DeviceMemory(0, plan.ArenaBytes, (perWorker * workers) + shared));
    }

    /// <inheritdoc/>
    public void Dispose()
    {
    }

    /// <summary>Memory that is counted until it is given back.</summary>
    abstract class Counted : IDisposable
    {
        readonly MemoryTally _tally;
        readonly DeviceMemory _memory;
        bool _given;

        protected Counted(MemoryTally tally, DeviceMemory memory)
        {
            (_tally, _memory) = (tally, memory);
            tally.Add(memory);
        }

        public long Bytes => _memory.Total;

        public void Dispose()
        {
            if (!_given)
            {
                _given = true;
                _tally.Add(default(DeviceMemory) - _memory);
            }
        }
    }

    sealed class Buffer(MemoryTally tally, long bytes) : Counted(tally, new DeviceMemory(0, 0, bytes)), IDeviceBuffer
    {
        public void Write(ReadOnlySpan<float> source, long byteOffset = 0)
        {
        }

        public void Read(Span<float> destination, long byteOffset = 0) => destination.Clear();
    }

    sealed class Executable(MemoryTally tally, Plan plan, DeviceMemory memory) : Counted(tally, memory), IExecutable
    {
        public Plan Plan => plan;

        public void Bind(Value value, IDeviceBuffer buffer, long byteOffset = 0)
        {
        }

        public void Run(CancellationToken cancel = default)
        {
        }
    }
}
