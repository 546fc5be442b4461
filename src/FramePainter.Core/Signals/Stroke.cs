using System.Numerics;

namespace FramePainter;

/// <summary>One stroke of a sketch: a line through points, with round ends and joints. A single point is a dot.</summary>
public sealed class Stroke
{
    /// <summary>The most points that a stroke may have.</summary>
    public const int MaxPoints = 65536;

    /// <summary>Creates a stroke.</summary>
    /// <param name="points">Its points in the picture's pixels, at least one: x to the right, y down, (0, 0) the outer corner of the top left pixel. They may lie outside the picture.</param>
    /// <param name="width">Its width in pixels, above 0 and up to <see cref="PixelImage.MaxSide"/>.</param>
    /// <exception cref="SignalException">There are no or too many points, a coordinate is no number or further out than <see cref="PixelImage.MaxSide"/>, or the width is out of range.</exception>
    public Stroke(IEnumerable<Vector2> points, float width)
    {
        ArgumentNullException.ThrowIfNull(points);
        Points = [.. points.Take(MaxPoints + 1)];
        Width = width;
        if (Points.Count is 0 or > MaxPoints)
        {
            throw new SignalException($"A stroke has from 1 to {MaxPoints} points, not {(Points.Count == 0 ? "none" : "more")}.");
        }

        if (!(width > 0 && width <= PixelImage.MaxSide))
        {
            throw new SignalException(string.Create(System.Globalization.CultureInfo.InvariantCulture, $"A stroke of width {width} cannot be drawn; the width must be above 0 and at most {PixelImage.MaxSide} pixels."));
        }

        for (var i = 0; i < Points.Count; i++)
        {
            if (!(Math.Abs(Points[i].X) <= PixelImage.MaxSide && Math.Abs(Points[i].Y) <= PixelImage.MaxSide))
            {
                throw new SignalException(string.Create(System.Globalization.CultureInfo.InvariantCulture, $"Point {i} of a stroke is ({Points[i].X}, {Points[i].Y}); both must be numbers from −{PixelImage.MaxSide} to {PixelImage.MaxSide}."));
            }
        }
    }

    /// <summary>Its points in the picture's pixels, at least one.</summary>
    public IReadOnlyList<Vector2> Points { get; }

    /// <summary>Its width in pixels.</summary>
    public float Width { get; }
}
