namespace FramePainter.Evaluation.Networks;

/// <summary>A convolution with square kernel, equal strides and zeros around the picture.</summary>
sealed class Convolution
{
    readonly PackedMatrix _matrix;
    readonly int _channels;
    readonly int _side;
    readonly int _stride;
    readonly int _padding;

    /// <summary>Packs a layer's weights.</summary>
    /// <param name="weights">As PyTorch keeps them: [outputs, channels, side, side].</param>
    /// <param name="bias">[outputs], or empty.</param>
    /// <param name="outputs">Channels of the result.</param>
    /// <param name="channels">Channels of the input.</param>
    /// <param name="side">Side of the kernel.</param>
    /// <param name="stride">Distance of two windows.</param>
    /// <param name="padding">Zeros on each edge.</param>
    public Convolution(ReadOnlySpan<float> weights, ReadOnlySpan<float> bias, int outputs, int channels, int side, int stride, int padding)
    {
        (_channels, _side, _stride, _padding) = (channels, side, stride, padding);
        var taps = side * side;

        // A window's row is taps by channels, as it lies in a channels-last picture.
        var turned = new float[weights.Length];
        for (var o = 0; o < outputs; o++)
        {
            for (var i = 0; i < channels; i++)
            {
                for (var t = 0; t < taps; t++)
                {
                    turned[(((o * taps) + t) * channels) + i] = weights[(((o * channels) + i) * taps) + t];
                }
            }
        }

        _matrix = new PackedMatrix(turned, bias, outputs, taps * channels);
    }

    /// <summary>Runs the layer on all cores.</summary>
    public FeatureMap Run(FeatureMap x, bool rectify, CancellationToken cancel)
    {
        var (height, width) = (Extent(x.Height), Extent(x.Width));
        var values = _matrix.Multiply(
            height * width,
            (p, row) => Window(x, (p / width * _stride) - _padding, (p % width * _stride) - _padding, row),
            rectify,
            cancel);
        return new FeatureMap(values, height, width, _matrix.Outputs);
    }

    int Extent(int extent) => ((extent + (2 * _padding) - _side) / _stride) + 1;

    void Window(FeatureMap x, int top, int left, Span<float> row)
    {
        row.Clear();
        var (first, last) = (Math.Max(left, 0), Math.Min(left + _side, x.Width));
        if (first >= last)
        {
            // The window lies in the zeros altogether.
            return;
        }

        for (var y = Math.Max(top, 0); y < Math.Min(top + _side, x.Height); y++)
        {
            x.Values.AsSpan(((y * x.Width) + first) * _channels, (last - first) * _channels)
                .CopyTo(row[((((y - top) * _side) + first - left) * _channels)..]);
        }
    }
}
