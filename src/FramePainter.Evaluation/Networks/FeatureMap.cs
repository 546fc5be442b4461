namespace FramePainter.Evaluation.Networks;

/// <summary>What a layer gives: channels-last values <c>[Height, Width, Channels]</c>.</summary>
sealed record FeatureMap(float[] Values, int Height, int Width, int Channels)
{
    /// <summary>Zeros of a size.</summary>
    public FeatureMap(int height, int width, int channels)
        : this(new float[height * width * channels], height, width, channels)
    {
    }

    /// <summary>All positions.</summary>
    public int Positions => Height * Width;

    /// <summary>The channels of one position.</summary>
    public Span<float> At(int position) => Values.AsSpan(position * Channels, Channels);

    /// <summary>A picture's 8-bit values, shifted and scaled by channel: <c>(value/255 − mean)/deviation</c>.</summary>
    public static FeatureMap Of(PixelImage image, ReadOnlySpan<double> mean, ReadOnlySpan<double> deviation)
    {
        var pixels = image.ToRgb().Pixels;
        var map = new FeatureMap(image.Height, image.Width, 3);
        for (var i = 0; i < pixels.Length; i++)
        {
            map.Values[i] = (float)(((pixels[i] / 255.0) - mean[i % 3]) / deviation[i % 3]);
        }

        return map;
    }

    /// <summary>The largest of every whole window, channel by channel.</summary>
    public FeatureMap MaxPool(int side, int stride)
    {
        var result = new FeatureMap(((Height - side) / stride) + 1, ((Width - side) / stride) + 1, Channels);
        for (var p = 0; p < result.Positions; p++)
        {
            var (y, x) = (p / result.Width * stride, p % result.Width * stride);
            var largest = result.At(p);
            largest.Fill(float.NegativeInfinity);
            for (var t = 0; t < side * side; t++)
            {
                System.Numerics.Tensors.TensorPrimitives.Max(largest, At(((y + (t / side)) * Width) + x + (t % side)), largest);
            }
        }

        return result;
    }
}
