using FramePainter.Backends.Cpu.Simd;
using FramePainter.Graphs;

namespace FramePainter.Backends.Cpu.Kernels;

/// <summary>CLIP's token row: class embedding, then patches, positions added to all. One image a tile; once an edit.</summary>
internal sealed unsafe class ClassTokenKernel<L, V>(ClassTokenOp op, CpuWeights weights) : CpuKernel
    where L : struct, ILanes<V>
    where V : struct
{
    readonly float* _class = weights.Vector(op.Class);
    readonly float* _positions = weights.Vector(op.Positions);
    readonly (int Images, int Tokens, int Width) _patches = (op.Patches.Shape.Images, op.Patches.Shape.Tokens, op.Patches.Shape.Channels);
    float* _input;
    float* _output;

    public override void Run(CpuRun run)
    {
        _input = run.Data(op.Patches);
        _output = run.Data(op.Output);
        run.Parallel(this, _patches.Images);
    }

    public override void Execute(int tile, int worker)
    {
        var (_, tokens, width) = _patches;
        var output = _output + ((long)tile * (tokens + 1) * width);
        Pointwise.Add<L, V>(_class, _positions, output, width);
        Pointwise.Add<L, V>(_input + ((long)tile * tokens * width), _positions + width, output + width, checked(tokens * width));
    }
}
