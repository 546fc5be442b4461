using FramePainter.Graphs;
using FramePainter.Tensors;

namespace FramePainter.Goldens;

/// <summary>A tensor as a golden file holds it: PyTorch's extents and order, widened to double (exact for every type in use).</summary>
/// <param name="Shape">Its extents.</param>
/// <param name="Values">Its elements.</param>
internal sealed record GoldenTensor(long[] Shape, double[] Values)
{
    public static GoldenTensor Of(Shape shape, ReadOnlySpan<float> values) => new(shape.Extents.ToArray(), [.. values.ToArray().Select(v => (double)v)]);

    /// <summary>Elements as floats, in their order.</summary>
    public float[] Floats() => [.. Values.Select(v => (float)v)];

    /// <summary>Elements as bytes, in their order.</summary>
    public byte[] Bytes() => [.. Values.Select(v => (byte)v)];

    /// <summary>The same elements under other extents.</summary>
    public GoldenTensor As(params long[] shape) => this with { Shape = shape };

    /// <summary><c>[N, C, ...]</c> moved to <c>[N, ..., C]</c>.</summary>
    public float[] ChannelsLast() => Move((int)Shape[0], (int)Shape[1], (i, c, p, channels, positions) => (((i * positions) + p) * channels) + c, Floats(), toLast: true);

    /// <summary>Channels-last values of a graph moved to <c>[N, C, ...]</c>.</summary>
    public static GoldenTensor ChannelsFirst(Value value, float[] values)
    {
        var shape = value.Shape;
        var moved = Move(shape.Images, shape.Channels, (i, c, p, channels, positions) => (((i * positions) + p) * channels) + c, values, toLast: false);
        return Of(new Shape([shape[0], shape.Channels, .. shape.Extents[1..^1]]), moved);
    }

    static float[] Move(int images, int channels, Func<int, int, int, int, int, int> last, float[] values, bool toLast)
    {
        var positions = values.Length / images / channels;
        var moved = new float[values.Length];
        var first = 0;
        for (var i = 0; i < images; i++)
        {
            for (var c = 0; c < channels; c++)
            {
                for (var p = 0; p < positions; p++, first++)
                {
                    var other = last(i, c, p, channels, positions);
                    if (toLast)
                    {
                        moved[other] = values[first];
                    }
                    else
                    {
                        moved[first] = values[other];
                    }
                }
            }
        }

        return moved;
    }
}
