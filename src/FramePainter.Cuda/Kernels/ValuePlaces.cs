using FramePainter.Backends;
using FramePainter.Cuda.Driver;
using FramePainter.Graphs;

namespace FramePainter.Cuda.Kernels;

/// <summary>
/// Where the values of a plan live, and as what. Values at the border are float32, bound from outside; of the others pictures and tokens are halves (<see cref="HalfLayout"/>).
/// </summary>
internal sealed class ValuePlaces : IDisposable
{
    const int Alignment = 256;

    readonly View[] _views;
    readonly DeviceBlock _memory;

    public ValuePlaces(Plan plan, DevicePool pool, long scratchBytes, long partialBytes, long normBytes)
    {
        var graph = plan.Graph;
        _views = new View[graph.Inputs.Concat(graph.Ops.SelectMany(op => op.Outputs)).Max(v => v.Id) + 1];
        var layout = new HalfLayout(plan, Alignment);
        _memory = pool.Rent(new DeviceMemory(0, layout.Bytes, CounterBytes + Align(scratchBytes) + Align(partialBytes) + Align(normBytes)));
        Counters = _memory.Address + (ulong)layout.Bytes;
        Scratch = Counters + CounterBytes;
        Partials = Scratch + (ulong)Align(scratchBytes);
        NormParts = Partials + (ulong)Align(partialBytes);
        foreach (var (value, offset, half) in layout.Places)
        {
            _views[value.Id] = new View { Data = _memory.Address + (ulong)offset, Half = half ? 1 : 0 };
        }
    }

    /// <summary>Bytes of the arena, inner tables and scratch.</summary>
    public long Bytes => _memory.Bytes;

    /// <summary>Bytes of <see cref="Counters"/>.</summary>
    public const int CounterBytes = LaunchList.MostSharedTiles * sizeof(int);

    /// <summary>Counters of blocks that have come, zero before and behind every launch; whoever makes this clears them.</summary>
    public ulong Counters { get; }

    /// <summary>Scratch memory shared by all launches, which run one after the other.</summary>
    public ulong Scratch { get; }

    /// <summary>Memory for unfinished sums, which a product leaves alone when it is done.</summary>
    public ulong Partials { get; }

    /// <summary>Memory for what products find out for the norms behind them, each with a place of its own.</summary>
    public ulong NormParts { get; }

    /// <summary>A value; nothing for none.</summary>
    public View this[Value? value] => value is null ? default : _views[value.Id];

    /// <summary>A value from some channel of some position on, all images' positions in a row.</summary>
    public View From(Channels part, long position = 0)
    {
        var view = _views[part.Value.Id];
        view.Data += (ulong)(((position * part.Value.Shape.Channels) + part.FirstChannel) * (view.Half != 0 ? 2 : sizeof(float)));
        return view;
    }

    public void Set(Value value, ulong address) => _views[value.Id] = new View { Data = address };

    public bool IsSet(Value value) => _views[value.Id].Data != 0;

    /// <inheritdoc/>
    public void Dispose() => _memory.Dispose();

    static long Align(long bytes) => (bytes + Alignment - 1) / Alignment * Alignment;
}
