using FramePainter.Graphs;

namespace FramePainter.Backends.Cpu.Kernels;

/// <summary>
/// Sinusoidal embedding, in float32 step by step as the network was trained with: frequency, phase, cosine and sine.
/// A few hundred numbers: computed by the caller, not worth a dispatch.
/// </summary>
internal sealed unsafe class SinusoidKernel : CpuKernel
{
    readonly SinusoidOp _op;
    readonly float[] _frequencies;

    public SinusoidKernel(SinusoidOp op)
    {
        _op = op;
        _frequencies = new float[op.Dim / 2];
        var rate = -MathF.Log(10000);
        for (var k = 0; k < _frequencies.Length; k++)
        {
            _frequencies[k] = MathF.Exp(rate * k / _frequencies.Length);
        }
    }

    public override void Run(CpuRun run)
    {
        run.Cancel.ThrowIfCancellationRequested();
        var input = run.Data(_op.Input);
        var output = run.Data(_op.Output);
        var half = _frequencies.Length;
        for (var i = 0; i < _op.Input.Shape.Count; i++, output += 2 * half)
        {
            for (var k = 0; k < half; k++)
            {
                (output[half + k], output[k]) = MathF.SinCos(input[i] * _frequencies[k]);
            }
        }
    }

    public override void Execute(int tile, int worker)
    {
    }
}
