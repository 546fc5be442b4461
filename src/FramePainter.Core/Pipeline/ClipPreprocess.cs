using System.Diagnostics;
using System.Numerics.Tensors;
using FramePainter.Tensors;

namespace FramePainter.Pipeline;

/// <summary>
/// The picture as the CLIP tower sees it: shrunk without aliasing (a Gaussian blur, then a bicubic with aligned corners), then normalised by CLIP's mean and deviation.
/// Both steps are linear and separate by axis, so that each axis applies their product at once: the blur is only ever computed where the bicubic reads it.
/// </summary>
static class ClipPreprocess
{
    const int Channels = 3;

    /// <summary>Resizes and normalises a picture. The axes are stretched independently, as in the original: no cropping.</summary>
    /// <param name="image">A picture of any size and format; alpha is dropped.</param>
    /// <param name="size">Side of the square that the tower takes, in pixels.</param>
    /// <param name="mean">Mean of red, green and blue on the scale 0..1.</param>
    /// <param name="deviation">Standard deviation of red, green and blue on the same scale.</param>
    /// <param name="destination">Receives [size, size, 3] values.</param>
    /// <param name="threads">Threads that may work at once.</param>
    public static void Run(PixelImage image, int size, ReadOnlySpan<float> mean, ReadOnlySpan<float> deviation, Span<float> destination, int threads = 1)
    {
        Debug.Assert(mean.Length == Channels && deviation.Length == Channels && destination.Length == size * size * Channels, "The spans fit.");
        var rgb = image.ToRgb();
        var columns = new AntialiasedAxis(rgb.Width, size);
        var rows = new AntialiasedAxis(rgb.Height, size);
        var rowLength = size * Channels;

        var narrow = new float[rgb.Height * rowLength];
        RowWork.Run(rgb.Height, threads, (first, end) =>
        {
            for (var y = first; y < end; y++)
            {
                ResizeRow(rgb.Pixels.Slice(y * rgb.Width * Channels, rgb.Width * Channels), columns, narrow.AsSpan(y * rowLength, rowLength));
            }
        });

        destination.Clear();
        for (var y = 0; y < size; y++)
        {
            var weights = rows.At(y, out var first);
            var result = destination.Slice(y * rowLength, rowLength);
            for (var t = 0; t < weights.Length; t++)
            {
                TensorPrimitives.MultiplyAdd(narrow.AsSpan((first + t) * rowLength, rowLength), weights[t], result, result);
            }

            for (var i = 0; i < rowLength; i++)
            {
                var unit = (result[i] + 1) / 2;
                result[i] = (unit - mean[i % Channels]) / deviation[i % Channels];
            }
        }
    }

    static void ResizeRow(ReadOnlySpan<byte> pixels, AntialiasedAxis columns, Span<float> result)
    {
        for (int x = 0, o = 0; o < result.Length; x++, o += Channels)
        {
            var weights = columns.At(x, out var first);
            float r = 0, g = 0, b = 0;
            var i = first * Channels;
            foreach (var weight in weights)
            {
                r += weight * PixelValues.Signed[pixels[i]];
                g += weight * PixelValues.Signed[pixels[i + 1]];
                b += weight * PixelValues.Signed[pixels[i + 2]];
                i += Channels;
            }

            (result[o], result[o + 1], result[o + 2]) = (r, g, b);
        }
    }
}
