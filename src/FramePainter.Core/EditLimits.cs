using FramePainter.Pipeline;

namespace FramePainter;

/// <summary>How much a painter takes from whoever calls it: looked at before any memory is taken by these sizes.</summary>
public sealed record EditLimits
{
    /// <summary>The defaults.</summary>
    public static EditLimits Default { get; } = new();

    /// <summary>Pixels of a picture that is edited, 1 to <see cref="PixelImage.MaxPixels"/>. Default 2²⁶, as 8192×8192.</summary>
    public int PicturePixels { get; init; } = 1 << 26;

    /// <summary>Pixels of the working size, 1 to <see cref="PixelImage.MaxPixels"/>. Default 2²⁴, as 4096×4096: the model knows pictures of half a million.</summary>
    public int WorkingPixels { get; init; } = 1 << 24;

    /// <summary>Strokes of a sketch, 1 to 16384. Default 16384.</summary>
    public int Strokes { get; init; } = StrokeRasterizer.MaxStrokes;

    /// <summary>Points of all strokes of a sketch together, at least 1. Default 2²⁰.</summary>
    public int StrokePoints { get; init; } = 1 << 20;

    /// <summary>Drag points, 1 to <see cref="Signal.MaxPoints"/>. Default 1024.</summary>
    public int DragPoints { get; init; } = Signal.MaxPoints;

    /// <summary>Edits that a session remembers, at least 1: the oldest makes room for one more. Default 256.</summary>
    public int History { get; init; } = 256;

    /// <summary>Checks every value against its range.</summary>
    /// <exception cref="OptionException">A value is out of range.</exception>
    internal void Validate()
    {
        Require(PicturePixels, PixelImage.MaxPixels, nameof(PicturePixels));
        Require(WorkingPixels, PixelImage.MaxPixels, nameof(WorkingPixels));
        Require(Strokes, StrokeRasterizer.MaxStrokes, nameof(Strokes));
        Require(StrokePoints, int.MaxValue, nameof(StrokePoints));
        Require(DragPoints, Signal.MaxPoints, nameof(DragPoints));
        Require(History, int.MaxValue, nameof(History));
    }

    /// <summary>Refuses a picture that is too large.</summary>
    /// <exception cref="ImageException">It is.</exception>
    internal void Check(PixelImage picture) => CheckPixels(picture.Width, picture.Height, PicturePixels, "A picture", nameof(PicturePixels));

    /// <summary>Refuses a working size that is too large.</summary>
    /// <exception cref="ImageException">It is.</exception>
    internal void Check(SizePlan size) => CheckPixels(size.Width, size.Height, WorkingPixels, "A working size", nameof(WorkingPixels));

    /// <summary>Refuses a signal that has too much of anything.</summary>
    /// <exception cref="SignalException">It has.</exception>
    /// <exception cref="ImageException">Its picture is too large.</exception>
    internal void Check(Signal signal)
    {
        switch (signal)
        {
            case SketchSignal sketch:
                Check(sketch.Strokes);
                Check(sketch.Vectors ?? []);
                break;
            case CoarseSignal coarse:
                Check(coarse.Picture);
                break;
            case PointsSignal points:
                CheckCount(points.Drags.Length, DragPoints, "drag points", nameof(DragPoints));
                break;
            case CombinedSignal both:
                Check(both.Picture);
                Check(both.Drags);
                break;
        }
    }

    /// <summary>Refuses a signal that would have too much of anything, before it is made of its record.</summary>
    /// <exception cref="SignalException">It would have.</exception>
    /// <exception cref="ImageException">Its picture would be too large.</exception>
    internal void Check(SignalRecord record)
    {
        Check(record.Strokes);
        if (record.Kind == SignalRecordKind.Strokes)
        {
            CheckPixels(record.StrokeSize.Width, record.StrokeSize.Height, PicturePixels, "A picture", nameof(PicturePixels));
        }
        else if (record.Picture is { } picture)
        {
            Check(picture);
        }
    }

    void Check(IReadOnlyList<Stroke> strokes)
    {
        CheckCount(strokes.Count, Strokes, "strokes", nameof(Strokes));
        CheckCount(strokes.Sum(s => (long)s.Points.Count), StrokePoints, "points of strokes", nameof(StrokePoints));
    }

    static void Require(int value, int most, string name)
    {
        if (value < 1 || value > most)
        {
            throw new OptionException(name, $"{nameof(EditLimits)}.{name} is {value}; it must be from 1 to {most}.");
        }
    }

    static void CheckPixels(int width, int height, int most, string what, string limit)
    {
        if ((long)width * height > most)
        {
            throw new ImageException($"{what} of {width}×{height} pixels is over this painter's limit of {most} pixels. Scale it down, or raise {nameof(EditLimits)}.{limit}.");
        }
    }

    static void CheckCount(long count, int most, string what, string limit)
    {
        if (count > most)
        {
            throw new SignalException($"The signal has {count} {what}; this painter takes {most}. Raise {nameof(EditLimits)}.{limit} for more.");
        }
    }
}
