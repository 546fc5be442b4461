using System.Globalization;
using System.Numerics;
using FramePainter.Graphs;

namespace FramePainter.Pipeline;

/// <summary>A signal at the working size.</summary>
/// <param name="Control">What the control encoder sees as the edited frame, RGB; black when the signal has no picture.</param>
/// <param name="Points">Drag points as <see cref="AddTokensOp"/> reads them, padded to the edit's capacity; null when there are none.</param>
/// <param name="Warnings">What the signal's use gives reason to warn of.</param>
internal sealed record PreparedSignal(PixelImage Control, float[]? Points, IReadOnlyList<EditWarning> Warnings)
{
    static readonly EditWarning s_untrained = new(
        EditWarningKind.PointsUntrained,
        "Drag points were given, and the released FramePainter weights were trained on sketches alone: the result may not follow the points. Weights trained for points need no heed of this.");

    /// <summary>The drag points in the caller's pixels.</summary>
    public IReadOnlyList<DragPoint> Drags { get; private init; } = [];

    /// <summary>Brings a signal to the working size.</summary>
    /// <param name="signal">The signal.</param>
    /// <param name="size">The sizes of the edit.</param>
    /// <param name="capacity">Rows of the table of points.</param>
    /// <exception cref="SignalException">The signal does not fit the picture, or has more points than the capacity.</exception>
    public static PreparedSignal Of(Signal signal, SizePlan size, int capacity) => signal switch
    {
        SketchSignal sketch => new(size.PrepareSketch(sketch.Strokes), null, []),
        CoarseSignal coarse => new(size.PrepareCoarse(coarse.Picture), null, []),
        PointsSignal points => WithPoints(new(Black(size), null, []), points, size, capacity),
        CombinedSignal both => WithPoints(Of(both.Picture, size, capacity), both.Drags, size, capacity),
        _ => throw new SignalException($"This painter has no use for a {signal.Kind}."),
    };

    /// <summary>Refuses what <see cref="Of"/> refuses, before memory is taken for it.</summary>
    /// <param name="signal">The signal.</param>
    /// <param name="size">The sizes of the edit.</param>
    /// <param name="capacity">Rows of the table of points.</param>
    /// <exception cref="SignalException">The signal does not fit the picture, or has more points than the capacity.</exception>
    public static void Check(Signal signal, SizePlan size, int capacity)
    {
        switch (signal)
        {
            case SketchSignal sketch:
                size.CheckAspect(sketch.Strokes, sketch.Kind);
                break;
            case CoarseSignal coarse:
                size.CheckAspect(coarse.Picture, coarse.Kind);
                break;
            case PointsSignal points:
                Table(points, size, capacity);
                break;
            case CombinedSignal both:
                Check(both.Picture, size, capacity);
                Check(both.Drags, size, capacity);
                break;
        }
    }

    static PreparedSignal WithPoints(PreparedSignal picture, PointsSignal points, SizePlan size, int capacity) =>
        picture with { Points = Table(points, size, capacity), Drags = points.Drags.ToArray(), Warnings = [s_untrained] };

    static PixelImage Black(SizePlan size) => PixelImage.Adopt(new byte[size.Width * size.Height * 3], size.Width, size.Height, PixelFormat.Rgb24);

    static float[] Table(PointsSignal points, SizePlan size, int capacity)
    {
        if (points.Drags.Length > capacity)
        {
            throw new SignalException($"The signal has {points.Drags.Length} drag points, and this edit has room for {capacity}; raise {nameof(EditOptions)}.{nameof(EditOptions.PointCapacity)}.");
        }

        var table = new float[capacity * AddTokensOp.Columns];
        Array.Fill(table, -1);
        for (var i = 0; i < points.Drags.Length; i++)
        {
            var row = table.AsSpan(i * AddTokensOp.Columns, AddTokensOp.Columns);
            Share(points.Drags[i].Source, size, i, "source").CopyTo(row);
            Share(points.Drags[i].Target, size, i, "target").CopyTo(row[2..]);
        }

        return table;
    }

    /// <summary>A point as shares of the working picture's width and height.</summary>
    static Vector2 Share(Vector2 point, SizePlan size, int index, string end)
    {
        if (!(point.X >= 0 && point.Y >= 0 && point.X < size.SourceWidth && point.Y < size.SourceHeight))
        {
            throw new SignalException(string.Create(
                CultureInfo.InvariantCulture,
                $"The {end} of drag point {index}, ({point.X}, {point.Y}), lies outside the picture of {size.SourceWidth}×{size.SourceHeight} pixels."));
        }

        return new Vector2(
            (float)((double)point.X / size.SourceWidth * size.ContentWidth / size.Width),
            (float)((double)point.Y / size.SourceHeight * size.ContentHeight / size.Height));
    }
}
