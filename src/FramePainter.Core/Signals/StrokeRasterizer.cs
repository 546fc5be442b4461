using System.Numerics;

namespace FramePainter;

/// <summary>
/// Draws strokes white on black, anti-aliased: a pixel's brightness is the share of a window one pixel wide, laid across the stroke through the
/// pixel's centre, that the stroke covers. Where strokes or their parts meet the brightest counts, so that joints are no brighter than lines.
/// </summary>
static class StrokeRasterizer
{
    /// <summary>The most strokes of one sketch.</summary>
    public const int MaxStrokes = 16384;

    /// <summary>Longest piece of a line that is looked at in one box, in pixels beside its width: keeps the boxes of slanting lines small.</summary>
    const float Piece = 16;

    /// <summary>Draws strokes as <see cref="PixelFormat.Gray8"/>.</summary>
    /// <param name="strokes">The strokes.</param>
    /// <param name="width">Width of the picture.</param>
    /// <param name="height">Its height.</param>
    /// <param name="cancel">Looked at between the rows of every part of a stroke.</param>
    /// <exception cref="SignalException">There are no or too many strokes, or one does not touch the picture.</exception>
    /// <exception cref="ImageException">The size is out of range.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public static PixelImage Draw(IEnumerable<Stroke> strokes, int width, int height, CancellationToken cancel = default)
    {
        PixelImage.CheckSize(width, height);
        var list = strokes.Take(MaxStrokes + 1).ToArray();
        if (list.Length is 0 or > MaxStrokes)
        {
            throw new SignalException($"A sketch has from 1 to {MaxStrokes} strokes, not {(list.Length == 0 ? "none" : "more")}.");
        }

        var pixels = new byte[width * height];
        for (var i = 0; i < list.Length; i++)
        {
            ArgumentNullException.ThrowIfNull(list[i], nameof(strokes));
            if (!Draw(list[i], pixels, width, height, cancel))
            {
                throw new SignalException($"Stroke {i} does not touch the picture of {width}×{height} pixels; give its points in the picture's pixels.");
            }
        }

        return PixelImage.Adopt(pixels, width, height, PixelFormat.Gray8);
    }

    static bool Draw(Stroke stroke, byte[] pixels, int width, int height, CancellationToken cancel)
    {
        var (points, touched) = (stroke.Points, false);
        for (var i = 0; i < Math.Max(1, points.Count - 1); i++)
        {
            var (from, to) = (points[i], points[Math.Min(i + 1, points.Count - 1)]);
            var pieces = Math.Max(1, (int)MathF.Ceiling(Vector2.Distance(from, to) / (Piece + stroke.Width)));
            for (var piece = 0; piece < pieces; piece++)
            {
                cancel.ThrowIfCancellationRequested();
                touched |= DrawPiece(Vector2.Lerp(from, to, (float)piece / pieces), Vector2.Lerp(from, to, (float)(piece + 1) / pieces), stroke.Width / 2, pixels, width, height, cancel);
            }
        }

        return touched;
    }

    static bool DrawPiece(Vector2 from, Vector2 to, float radius, byte[] pixels, int width, int height, CancellationToken cancel)
    {
        var reach = new Vector2(radius + 1);
        var low = Vector2.Clamp(Vector2.Min(from, to) - reach, Vector2.Zero, new Vector2(width, height));
        var high = Vector2.Clamp(Vector2.Max(from, to) + reach, Vector2.Zero, new Vector2(width, height));
        var touched = false;
        for (var y = (int)low.Y; y < (int)MathF.Ceiling(high.Y); y++)
        {
            cancel.ThrowIfCancellationRequested();
            for (var x = (int)low.X; x < (int)MathF.Ceiling(high.X); x++)
            {
                var value = (byte)MathF.Round(255 * Covered(Distance(new Vector2(x + 0.5f, y + 0.5f), from, to), radius));
                ref var pixel = ref pixels[(y * width) + x];
                pixel = Math.Max(pixel, value);
                touched |= value > 0;
            }
        }

        return touched;
    }

    /// <summary>Overlap of the window [d − ½, d + ½] with the stroke's [−r, r].</summary>
    static float Covered(float distance, float radius) =>
        Math.Clamp(MathF.Min(distance + 0.5f, radius) - MathF.Max(distance - 0.5f, -radius), 0, 1);

    static float Distance(Vector2 point, Vector2 from, Vector2 to)
    {
        var line = to - from;
        var length = line.LengthSquared();
        var along = length == 0 ? 0 : Math.Clamp(Vector2.Dot(point - from, line) / length, 0, 1);
        return Vector2.Distance(point, from + (along * line));
    }
}
