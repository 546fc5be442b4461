namespace FramePainter.Pipeline;

/// <summary>For every output position along one axis: which input positions it reads, and their weights in fixed point.</summary>
sealed class ResizeTaps
{
    /// <summary>Fractional bits of a weight: 32, less 8 for the pixel and 2 for the overshoot of the kernels.</summary>
    public const int FractionBits = 32 - 8 - 2;

    /// <summary>One half, the start of every sum, so that the shift rounds.</summary>
    public const int Half = 1 << (FractionBits - 1);

    readonly int[] _weights;
    readonly (int First, int Count)[] _ranges;
    readonly int _room;

    /// <summary>Computes the taps of one axis.</summary>
    /// <param name="input">Input size along the axis.</param>
    /// <param name="output">Output size along the axis.</param>
    /// <param name="filter">The kernel; it is stretched when the axis shrinks, so that no input is skipped.</param>
    /// <param name="step">Weights come in multiples of this, where the input has as many: zeros are added.</param>
    public ResizeTaps(int input, int output, ResizeFilter filter, int step = 1)
    {
        var scale = (double)input / output;
        var stretch = Math.Max(scale, 1);
        var support = (filter == ResizeFilter.Lanczos ? LanczosLobes : 2) * stretch;
        _room = Math.Min((((int)Math.Ceiling(support) * 2) + step) / step * step, input);
        _weights = new int[checked(_room * output)];
        _ranges = new (int, int)[output];
        var exact = new double[_room];
        for (var i = 0; i < output; i++)
        {
            var center = (i + 0.5) * scale;
            var first = Math.Max((int)(center - support + 0.5), 0);
            var count = Math.Min((int)(center + support + 0.5), input) - first;
            var sum = 0.0;
            for (var t = 0; t < count; t++)
            {
                var distance = (first + t - center + 0.5) / stretch;
                exact[t] = filter == ResizeFilter.Lanczos ? Lanczos(distance) : Bicubic(distance);
                sum += exact[t];
            }

            var room = Math.Min((count + step - 1) / step * step, input);
            var begin = Math.Min(first, input - room);
            _ranges[i] = (begin, room);
            for (var t = 0; t < count; t++)
            {
                _weights[(i * _room) + first - begin + t] = ToFixed(exact[t] / sum);
            }
        }
    }

    const int LanczosLobes = 3;

    /// <summary>The taps of one output position: the first input position and the weights from there on.</summary>
    public ReadOnlySpan<int> At(int position, out int first)
    {
        (first, var count) = _ranges[position];
        return _weights.AsSpan(position * _room, count);
    }

    /// <summary>Turns a sum of weighted pixels, begun with <see cref="Half"/>, into a pixel.</summary>
    public static byte ToPixel(int sum) => (byte)Math.Clamp(sum >> FractionBits, byte.MinValue, byte.MaxValue);

    /// <summary>Rounds half away from zero.</summary>
    static int ToFixed(double weight) => (int)((weight * (1 << FractionBits)) + (weight < 0 ? -0.5 : 0.5));

    static double Lanczos(double x) => x is >= -LanczosLobes and < LanczosLobes ? Sinc(x) * Sinc(x / LanczosLobes) : 0;

    static double Sinc(double x) => x == 0 ? 1 : Math.Sin(Math.PI * x) / (Math.PI * x);

    static double Bicubic(double x)
    {
        const double A = -0.5;
        x = Math.Abs(x);
        return x switch
        {
            < 1 => ((((A + 2) * x) - (A + 3)) * x * x) + 1,
            < 2 => ((((x - 5) * x) + 8) * x - 4) * A,
            _ => 0,
        };
    }
}
