using FramePainter.Backends.Cpu.Simd;
using FramePainter.Graphs;

namespace FramePainter.Backends.Cpu.Kernels;

/// <summary>Rows of a linear op: positions of every s-th image.</summary>
internal sealed unsafe class LinearRows(LinearOp op) : RowSource(op.Input)
{
    readonly int _tokens = op.Output.Shape.Tokens;
    readonly int _images = op.Output.Shape.Images;
    readonly int _stride = op.ImageStride;

    /// <inheritdoc/>
    public override IEnumerable<RowBlock> Runs => [new RowBlock(0, _images * _tokens, 0, Channels)];

    /// <inheritdoc/>
    public override void Gather(int row, int rows, int from, int count, float* destination)
    {
        for (var r = 0; r < rows; r++)
        {
            var (image, token) = Math.DivRem(row + r, _tokens);
            CopyPosition(((long)image * _stride * _tokens) + token, from, count, destination);
            destination += Blocking.RowStride;
        }
    }
}
