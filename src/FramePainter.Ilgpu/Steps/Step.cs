using FramePainter.Graphs;
using FramePainter.Ilgpu.Kernels;
using ILGPU;
using ILGPU.Runtime;

namespace FramePainter.Ilgpu.Steps;

/// <summary>One op made ready: kernels loaded, weights on the device.</summary>
internal abstract class Step
{
    /// <summary>Floats of scratch that it wants while it runs.</summary>
    public virtual long ScratchFloats => 0;

    /// <summary>Queues its work.</summary>
    /// <param name="run">The run it belongs to.</param>
    public abstract void Run(StepRun run);

    /// <summary>Groups that cover so many threads or tiles.</summary>
    protected static int Groups(long count, int perGroup) => checked((int)((count + perGroup - 1) / perGroup));
}

/// <summary>Where values live while an executable runs.</summary>
/// <param name="stream">The executable's stream.</param>
/// <param name="scratch">Scratch memory.</param>
/// <param name="values">More than the greatest id of a value.</param>
internal sealed class StepRun(AcceleratorStream stream, ArrayView<float> scratch, int values)
{
    readonly Elements[] _values = new Elements[values];

    public AcceleratorStream Stream => stream;

    public ArrayView<float> Scratch => scratch;

    public Elements this[Value value] => _values[value.Id];

    public void Set(Value value, Elements elements) => _values[value.Id] = elements;

    public bool IsBound(Value value) => _values[value.Id].Memory.IsValid;

    /// <summary>Two values side by side.</summary>
    public Pair Pair(Operand operand) => new()
    {
        First = this[operand.First],
        Second = this[operand.Second ?? operand.First],
        FirstChannels = operand.First.Shape.Channels,
        SecondChannels = operand.Second?.Shape.Channels ?? 0,
    };

    /// <summary>A row table for an output, or none.</summary>
    /// <param name="rows">The table.</param>
    /// <param name="output">What it is added to.</param>
    public TableRows Rows(RowTable? rows, Value output) => new()
    {
        Table = this[rows?.Table ?? output],
        Rows = rows?.Table.Shape[0] ?? 0,
        ByFrame = rows?.Order == RowOrder.ByFrame ? 1 : 0,
        Images = output.Shape.Images,
        Tokens = output.Shape.Tokens,
        Channels = output.Shape.Channels,
    };
}

/// <summary>A kernel of one argument, loaded.</summary>
/// <typeparam name="T">The argument.</typeparam>
internal sealed class Launcher<T>(IlgpuBackend backend, Action<T> kernel)
    where T : struct
{
    readonly Action<AcceleratorStream, KernelConfig, T> _launch = backend.Load(kernel, a => a.LoadKernel(kernel));

    public void Launch(StepRun run, Index3D grid, int threads, T argument)
    {
        if (grid.Size > 0)
        {
            lock (backend.Launching)
            {
                _launch(run.Stream, new KernelConfig(grid, new Index3D(threads, 1, 1)), argument);
            }
        }
    }
}
