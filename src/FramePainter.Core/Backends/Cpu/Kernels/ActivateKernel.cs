using FramePainter.Backends.Cpu.Simd;
using FramePainter.Graphs;

namespace FramePainter.Backends.Cpu.Kernels;

/// <summary>An activation on its own, element by element; GEGLU row by row, since its two halves lie apart.</summary>
internal sealed unsafe class ActivateKernel<L, V>(ActivateOp op) : CpuKernel
    where L : struct, ILanes<V>
    where V : struct
{
    readonly int _width = op.Output.Shape.Channels;
    readonly Cut _cut = op.Activation == Activation.Geglu
        ? Cut.Rows(op.Output.Shape.Count / Math.Max(1, op.Output.Shape.Channels), op.Input.Shape.Channels)
        : Cut.Elements(op.Output.Shape.Count);

    float* _input;
    float* _output;

    public override void Run(CpuRun run)
    {
        _input = run.Data(op.Input);
        _output = run.Data(op.Output);
        run.Parallel(this, _cut.Tiles);
    }

    public override void Execute(int tile, int worker)
    {
        var (from, count) = _cut[tile];
        var source = _input + from;
        var destination = _output + from;
        switch (op.Activation)
        {
            case Activation.None:
                Pointwise.Copy(source, destination, count);
                break;
            case Activation.Silu:
                Pointwise.Map<L, V, Silu>(source, destination, count);
                break;
            case Activation.Gelu:
                Pointwise.Map<L, V, Gelu>(source, destination, count);
                break;
            case Activation.QuickGelu:
                Pointwise.Map<L, V, QuickGelu>(source, destination, count);
                break;
            case Activation.Relu:
                Pointwise.Map<L, V, Relu>(source, destination, count);
                break;
            default:
                for (var row = from; row < from + count; row++)
                {
                    Gate(_input + (row * 2 * _width), _output + (row * _width), _width);
                }

                break;
        }
    }

    static void Gate(float* source, float* destination, int width)
    {
        var i = 0;
        for (; i <= width - L.Count; i += L.Count)
        {
            L.Store(destination + i, L.Multiply(L.Load(source + i), VectorMath<L, V>.Gelu(L.Load(source + width + i))));
        }

        if (i < width)
        {
            var part = width - i;
            L.StorePart(destination + i, L.Multiply(L.LoadPart(source + i, part), VectorMath<L, V>.Gelu(L.LoadPart(source + width + i, part))), part);
        }
    }
}
