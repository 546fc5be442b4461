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
    public override IEnumerable<RowBlock> Runs => _stride == 1
        ? [new RowBlock(0, _images * _tokens, 0, Channels)]
        : Enumerable.Range(0, _images).Select(image => new RowBlock(image * _tokens, _tokens, 0, Channels));

    /// <inheritdoc/>
    public override InPlace Beside(int input) => BesideInPosition(input);

    /// <inheritdoc/>
    public override float* Place(int row, int input) => PlaceInPosition(Position(row), input);

    /// <inheritdoc/>
    public override void Gather(int row, int rows, int from, int count, float* destination)
    {
        for (var r = 0; r < rows; r++)
        {
            CopyPosition(Position(row + r), from, count, destination);
            destination += Blocking.RowStride;
        }
    }

    long Position(int row)
    {
        var (image, token) = Math.DivRem(row, _tokens);
        return ((long)image * _stride * _tokens) + token;
    }
}
