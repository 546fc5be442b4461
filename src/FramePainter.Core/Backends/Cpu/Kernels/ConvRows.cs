using FramePainter.Backends.Cpu.Simd;
using FramePainter.Graphs;

namespace FramePainter.Backends.Cpu.Kernels;

/// <summary>
/// Rows of a convolution: the patch under the kernel, zeros where it leaves the picture. Channels-last memory makes a kernel row
/// of one value a single run of floats; with two values or doubling, each tap is a run.
/// </summary>
internal sealed unsafe class ConvRows : RowSource
{
    readonly ConvOp _op;
    readonly int _height;
    readonly int _width;
    readonly int _outputHeight;
    readonly int _outputWidth;
    readonly int _shift;
    readonly bool _wholeKernelRows;

    public ConvRows(ConvOp op)
        : base(op.Input)
    {
        _op = op;
        _height = op.Input.Shape[1];
        _width = op.Input.Shape[2];
        _outputHeight = op.Output.Shape[1];
        _outputWidth = op.Output.Shape[2];
        _shift = op.Upsample ? 1 : 0;
        _wholeKernelRows = op.Input.Second is null && !op.Upsample;
    }

    /// <inheritdoc/>
    public override IEnumerable<RowBlock> Runs =>
        [new RowBlock(0, checked((int)(_op.Output.Shape.Count / _op.Output.Shape.Channels)), 0, Channels * _op.KernelHeight * _op.KernelWidth)];

    /// <inheritdoc/>
    public override int SideBySide(int input) => BesideInPosition(input % Channels).Inputs;

    /// <inheritdoc/>
    // A tap meets the positions of a line one stride apart, doubled ones twice; before and behind the line are zeros.
    public override EvenRows Evenly(int row, int rows, int input)
    {
        var (line, column) = Math.DivRem(row, _outputWidth);
        var (image, outputY) = Math.DivRem(line, _outputHeight);
        var (tap, channel) = Math.DivRem(input, Channels);
        var (kernelRow, kernelColumn) = Math.DivRem(tap, _op.KernelWidth);
        var y = (outputY * _op.Stride) - _op.Padding.Top + kernelRow;
        var x = (column * _op.Stride) - _op.Padding.Left + kernelColumn;
        var most = Math.Min(rows, _outputWidth - column);
        if (y < 0 || y >= _height << _shift || x >= _width << _shift)
        {
            return new EvenRows(0, most, 0);
        }

        if (x < 0)
        {
            return new EvenRows(0, Math.Min(most, RowsOver(-x)), 0);
        }

        var place = (nint)PlaceInPosition(PositionOf(image, y, x), channel);
        return _op.Upsample
            ? new EvenRows(place, Math.Min(most, RowsOver(2 - (x & 1))), 0)
            : new EvenRows(place, Math.Min(most, RowsOver(_width - x)), BesideInPosition(channel).Distance * _op.Stride);
    }

    /// <summary>The input's position at a place of the picture, which may be doubled.</summary>
    long PositionOf(int image, int y, int x) => ((((long)image * _height) + (y >> _shift)) * _width) + (x >> _shift);

    /// <summary>Rows whose taps are so many positions' or fewer ahead.</summary>
    int RowsOver(int positions) => (positions + _op.Stride - 1) / _op.Stride;

    /// <inheritdoc/>
    public override void Gather(int row, int rows, int from, int count, float* destination)
    {
        var (line, x) = Math.DivRem(row, _outputWidth);
        var (image, y) = Math.DivRem(line, _outputHeight);
        for (var r = 0; r < rows; r++)
        {
            var top = (y * _op.Stride) - _op.Padding.Top;
            var left = (x * _op.Stride) - _op.Padding.Left;
            if (_wholeKernelRows)
            {
                GatherKernelRows(image, top, left, from, count, destination);
            }
            else
            {
                GatherTaps(image, top, left, from, count, destination);
            }

            destination += Blocking.RowStride;
            if (++x == _outputWidth)
            {
                x = 0;
                if (++y == _outputHeight)
                {
                    y = 0;
                    image++;
                }
            }
        }
    }

    void GatherKernelRows(int image, int top, int left, int from, int count, float* destination)
    {
        // Where the kernel row lies inside the picture, in floats from its left end.
        var run = _op.KernelWidth * Channels;
        var inside = Math.Clamp(-left, 0, _op.KernelWidth) * Channels;
        var outside = Math.Clamp(_width - left, 0, _op.KernelWidth) * Channels;
        var (kernelRow, at) = Math.DivRem(from, run);
        while (count > 0)
        {
            var length = Math.Min(run - at, count);
            var y = top + kernelRow;
            var begin = y >= 0 && y < _height ? Math.Clamp(inside - at, 0, length) : length;
            var end = Math.Max(begin, Math.Clamp(outside - at, 0, length));
            Clear(destination, begin);
            if (end > begin)
            {
                var source = First + ((((((long)image * _height) + y) * _width) + left) * Channels) + at;
                Copy(source + begin, destination + begin, end - begin);
            }

            Clear(destination + end, length - end);
            destination += length;
            count -= length;
            at = 0;
            kernelRow++;
        }
    }

    void GatherTaps(int image, int top, int left, int from, int count, float* destination)
    {
        var (tap, channel) = Math.DivRem(from, Channels);
        while (count > 0)
        {
            var length = Math.Min(Channels - channel, count);
            var (kernelRow, kernelColumn) = Math.DivRem(tap, _op.KernelWidth);
            var (y, x) = (top + kernelRow, left + kernelColumn);
            if (y >= 0 && y < _height << _shift && x >= 0 && x < _width << _shift)
            {
                CopyPosition(PositionOf(image, y, x), channel, length, destination);
            }
            else
            {
                Clear(destination, length);
            }

            destination += length;
            count -= length;
            channel = 0;
            tap++;
        }
    }
}
