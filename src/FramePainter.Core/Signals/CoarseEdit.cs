using System.Numerics;

namespace FramePainter;

/// <summary>
/// Coarse edits by moving a region (paper, appendix A): the region is cut out, moved, and laid over the picture by forward splatting with softmax
/// weights (Niklaus and Liu 2020). Each pixel of the region is spread over the four pixels around the place where it lands, bilinearly; what lands in one
/// pixel is averaged with weights b·exp(Z), Z = 20 times the mask for the region and 0 for the picture beneath, so that the region covers it.
/// Where the region was and nothing lands, the picture is black: what forward splatting leaves where nothing arrives, as in the training data.
/// </summary>
public static class CoarseEdit
{
    /// <summary>Largest enlargement: along any direction a pixel becomes at most so many.</summary>
    public const int MaxEnlargement = 16;

    /// <summary>Z of a wholly selected pixel: e²⁰ against the picture's 1, so that even a sliver of the region outweighs it.</summary>
    const double Importance = 20;

    /// <summary>Moves a region of a picture.</summary>
    /// <param name="picture">The picture; alpha is dropped.</param>
    /// <param name="mask">Which pixels move, of the picture's size: black ones stay, white ones move, grey ones (soft edges) do both by their share. Colours count by brightness.</param>
    /// <param name="transform">Where a point of the region goes, in pixels: x to the right, y down, (0, 0) the outer corner of the top left pixel.</param>
    /// <returns>The coarse edit, RGB, of the picture's size: for <see cref="Signal.Coarse"/>.</returns>
    /// <exception cref="SignalException">
    /// The mask is of another size or selects nothing; the transform is not finite, flattens the region or enlarges it beyond <see cref="MaxEnlargement"/>; nothing of the region stays in the picture.
    /// </exception>
    public static PixelImage Move(PixelImage picture, PixelImage mask, Matrix3x2 transform) => Draw(picture, mask, transform, CancellationToken.None);

    /// <summary>Moves a region of a picture; looks at the token between rows.</summary>
    internal static PixelImage Draw(PixelImage picture, PixelImage mask, Matrix3x2 transform, CancellationToken cancel)
    {
        ArgumentNullException.ThrowIfNull(picture);
        ArgumentNullException.ThrowIfNull(mask);
        if ((mask.Width, mask.Height) != (picture.Width, picture.Height))
        {
            throw new SignalException($"The mask of {mask.Width}×{mask.Height} pixels does not have the size of the picture, {picture.Width}×{picture.Height}.");
        }

        var parts = PartsOf(transform);
        var (rgb, selected) = (picture.ToRgb(), mask.ToGray());
        if (selected.Pixels.IndexOfAnyExcept((byte)0) < 0)
        {
            throw new SignalException("The mask selects nothing: all of it is black; paint the region to move in white.");
        }

        var canvas = new Canvas(rgb.Width, rgb.Height);
        var landed = false;
        for (var y = 0; y < rgb.Height; y++)
        {
            cancel.ThrowIfCancellationRequested();
            for (var x = 0; x < rgb.Width; x++)
            {
                var at = (y * rgb.Width) + x;
                var share = selected.Pixels[at] / 255.0;
                var color = rgb.Pixels.Slice(at * 3, 3);
                canvas.Add(x, y, 1 - share, color);
                if (share == 0)
                {
                    continue;
                }

                // An enlarged pixel is sent in parts that land at most a pixel apart, so that no gaps open.
                var weight = share * Math.Exp(Importance * share) / (parts * parts);
                for (var part = 0; part < parts * parts; part++)
                {
                    var (row, column) = Math.DivRem(part, parts);
                    var point = new Vector2(x + ((column + 0.5f) / parts), y + ((row + 0.5f) / parts));
                    landed |= canvas.Splat(Vector2.Transform(point, transform), weight, color);
                }
            }
        }

        return landed
            ? canvas.ToPicture()
            : throw new SignalException("The move takes the whole region out of the picture; the transform is in pixels, from the region's old place to its new one.");
    }

    /// <summary>Parts along a side that a pixel is cut in: the largest stretch of the transform, rounded up.</summary>
    static int PartsOf(Matrix3x2 t)
    {
        double a = t.M11, b = t.M12, c = t.M21, d = t.M22;
        var determinant = (a * d) - (b * c);
        var squares = (a * a) + (b * b) + (c * c) + (d * d);
        if (!double.IsFinite(squares) || !float.IsFinite(t.M31) || !float.IsFinite(t.M32))
        {
            throw new SignalException("The transform of a moved region has entries that are no finite numbers.");
        }

        if (Math.Abs(determinant) < 1e-6)
        {
            throw new SignalException("The transform flattens the moved region to a line or a point; its determinant must not be 0.");
        }

        var stretch = Math.Sqrt((squares + Math.Sqrt(Math.Max(0, (squares * squares) - (4 * determinant * determinant)))) / 2);
        return stretch <= MaxEnlargement
            ? Math.Max(1, (int)Math.Ceiling(stretch - 1e-4))
            : throw new SignalException(string.Create(System.Globalization.CultureInfo.InvariantCulture, $"The transform enlarges the moved region {stretch:f1} times; up to {MaxEnlargement} times is possible."));
    }

    /// <summary>Weighted sums of colours for every pixel.</summary>
    sealed class Canvas(int width, int height)
    {
        readonly double[] _sums = new double[width * height * 4];

        public void Add(int x, int y, double weight, ReadOnlySpan<byte> color)
        {
            var sum = _sums.AsSpan(((y * width) + x) * 4, 4);
            for (var c = 0; c < 3; c++)
            {
                sum[c] += weight * color[c];
            }

            sum[3] += weight;
        }

        /// <summary>Spreads a colour over the four pixels around a point; false when none of them is in the picture.</summary>
        public bool Splat(Vector2 point, double weight, ReadOnlySpan<byte> color)
        {
            var (x, y) = (point.X - 0.5, point.Y - 0.5);
            if (!(x > -1 && y > -1 && x < width && y < height))
            {
                return false;
            }

            var (left, top) = ((int)Math.Floor(x), (int)Math.Floor(y));
            var landed = false;
            for (var corner = 0; corner < 4; corner++)
            {
                var (atX, atY) = (left + (corner & 1), top + (corner >> 1));
                var share = (1 - Math.Abs(x - atX)) * (1 - Math.Abs(y - atY));
                if (share > 0 && atX >= 0 && atY >= 0 && atX < width && atY < height)
                {
                    Add(atX, atY, weight * share, color);
                    landed = true;
                }
            }

            return landed;
        }

        public PixelImage ToPicture()
        {
            var pixels = new byte[width * height * 3];
            for (var i = 0; i < width * height; i++)
            {
                var weight = _sums[(i * 4) + 3];
                for (var c = 0; c < 3 && weight > 0; c++)
                {
                    pixels[(i * 3) + c] = (byte)Math.Round(_sums[(i * 4) + c] / weight);
                }
            }

            return PixelImage.Adopt(pixels, width, height, PixelFormat.Rgb24);
        }
    }
}
