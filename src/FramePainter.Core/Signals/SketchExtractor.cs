using System.Numerics;

namespace FramePainter;

/// <summary>
/// Makes sketches as the training sketches were made: Sobel edges of a target picture, or of the flow from source to target.
/// The gradient's length (3×3 Sobel, edge pixels repeated), as a share of the longest, becomes the brightness; shares below the threshold are black.
/// A flat input gives a black sketch.
/// </summary>
public static class SketchExtractor
{
    /// <summary>Sobel edges of a picture's brightness (<see cref="PixelImage.ToGray"/>).</summary>
    /// <param name="target">The picture that an edit is to look like.</param>
    /// <param name="threshold">Share of the strongest edge, 0 to 1, below which there is no edge.</param>
    /// <returns>The sketch, <see cref="PixelFormat.Gray8"/>, of the picture's size.</returns>
    /// <exception cref="SignalException">The threshold is out of range.</exception>
    public static PixelImage FromPicture(PixelImage target, float threshold = 0.1f)
    {
        ArgumentNullException.ThrowIfNull(target);
        CheckThreshold(threshold);
        var gray = target.ToGray();
        var values = Array.ConvertAll(gray.Pixels.ToArray(), v => (float)v);
        return Sketch(Squares(values, gray.Width, gray.Height), gray.Width, gray.Height, threshold);
    }

    /// <summary>Sobel edges of a flow field: the borders of what moves. Both components' squares are added.</summary>
    /// <param name="flow">Displacement of each pixel in pixels, rows from the top, width·height of them.</param>
    /// <param name="width">Width in pixels.</param>
    /// <param name="height">Height in pixels.</param>
    /// <param name="threshold">Share of the strongest edge, 0 to 1, below which there is no edge.</param>
    /// <returns>The sketch, <see cref="PixelFormat.Gray8"/>.</returns>
    /// <exception cref="SignalException">The flow has another length, a displacement is not finite, or the threshold is out of range.</exception>
    /// <exception cref="ImageException">The size is out of range.</exception>
    public static PixelImage FromFlow(ReadOnlySpan<Vector2> flow, int width, int height, float threshold = 0.1f)
    {
        PixelImage.CheckSize(width, height);
        CheckThreshold(threshold);
        if (flow.Length != width * height)
        {
            throw new SignalException($"A flow field of {width}×{height} pixels has {width * height} displacements, not {flow.Length}.");
        }

        var (horizontal, vertical) = (new float[flow.Length], new float[flow.Length]);
        for (var i = 0; i < flow.Length; i++)
        {
            if (!float.IsFinite(flow[i].X) || !float.IsFinite(flow[i].Y))
            {
                throw new SignalException($"The flow at column {i % width}, row {i / width} is no finite displacement.");
            }

            (horizontal[i], vertical[i]) = (flow[i].X, flow[i].Y);
        }

        var squares = Squares(horizontal, width, height);
        var more = Squares(vertical, width, height);
        for (var i = 0; i < squares.Length; i++)
        {
            squares[i] += more[i];
        }

        return Sketch(squares, width, height, threshold);
    }

    /// <summary>Squared length of the Sobel gradient.</summary>
    static double[] Squares(float[] values, int width, int height)
    {
        var squares = new double[values.Length];
        for (var y = 0; y < height; y++)
        {
            var (above, here, below) = (Math.Max(y - 1, 0) * width, y * width, Math.Min(y + 1, height - 1) * width);
            for (var x = 0; x < width; x++)
            {
                var (left, right) = (Math.Max(x - 1, 0), Math.Min(x + 1, width - 1));
                var across = (double)values[above + right] + (2.0 * values[here + right]) + values[below + right]
                    - values[above + left] - (2.0 * values[here + left]) - values[below + left];
                var down = (double)values[below + left] + (2.0 * values[below + x]) + values[below + right]
                    - values[above + left] - (2.0 * values[above + x]) - values[above + right];
                squares[here + x] = (across * across) + (down * down);
            }
        }

        return squares;
    }

    static PixelImage Sketch(double[] squares, int width, int height, float threshold)
    {
        var strongest = Math.Sqrt(squares.Max());
        var pixels = new byte[squares.Length];
        for (var i = 0; i < pixels.Length && strongest > 0; i++)
        {
            var share = Math.Sqrt(squares[i]) / strongest;
            pixels[i] = share >= threshold ? (byte)Math.Round(255 * share) : (byte)0;
        }

        return PixelImage.Adopt(pixels, width, height, PixelFormat.Gray8);
    }

    static void CheckThreshold(float threshold)
    {
        if (!(threshold is >= 0 and <= 1))
        {
            throw new SignalException(string.Create(System.Globalization.CultureInfo.InvariantCulture, $"A threshold of {threshold} is none; it is a share of the strongest edge, from 0 to 1."));
        }
    }
}
