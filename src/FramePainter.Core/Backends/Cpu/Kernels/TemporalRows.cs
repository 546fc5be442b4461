using FramePainter.Backends.Cpu.Simd;
using FramePainter.Graphs;

namespace FramePainter.Backends.Cpu.Kernels;

/// <summary>Rows of a temporal convolution: the same position in the frame before, the frame itself and the frame behind; taps beyond the first and the last frame are left out of the sum.</summary>
internal sealed unsafe class TemporalRows(TemporalConvOp op) : RowSource(op.Input)
{
    readonly int _tokens = op.Output.Shape.Tokens;
    readonly int _images = op.Output.Shape.Images;
    readonly int _frames = op.Frames;

    /// <inheritdoc/>
    public override IEnumerable<RowBlock> Runs => Enumerable.Range(0, _images).Select(image =>
    {
        var frame = image % _frames;
        var firstTap = frame == 0 ? 1 : 0;
        var lastTap = frame == _frames - 1 ? 1 : 2;
        return new RowBlock(image * _tokens, _tokens, firstTap * Channels, (lastTap - firstTap + 1) * Channels);
    });

    /// <inheritdoc/>
    public override InPlace Beside(int input) => BesideInPosition(input % Channels);

    /// <inheritdoc/>
    public override float* Place(int row, int input)
    {
        var (tap, channel) = Math.DivRem(input, Channels);
        return PlaceInPosition(row + ((long)(tap - 1) * _tokens), channel);
    }

    /// <inheritdoc/>
    public override void Gather(int row, int rows, int from, int count, float* destination)
    {
        for (var at = 0; at < count;)
        {
            var (tap, channel) = Math.DivRem(from + at, Channels);
            var length = Math.Min(Channels - channel, count - at);
            var position = row + ((long)(tap - 1) * _tokens);
            for (var r = 0; r < rows; r++)
            {
                CopyPosition(position + r, channel, length, destination + at + ((long)r * Blocking.RowStride));
            }

            at += length;
        }
    }
}
