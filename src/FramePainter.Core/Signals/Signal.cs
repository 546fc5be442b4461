namespace FramePainter;

/// <summary>What a person wants changed. Made by the factory methods; immutable.</summary>
public abstract class Signal
{
    /// <summary>The most drag points of one signal.</summary>
    public const int MaxPoints = 1024;

    private protected Signal()
    {
    }

    /// <summary>What it is, for messages: "sketch".</summary>
    internal abstract string Kind { get; }

    /// <summary>Whether it has drag points.</summary>
    internal bool HasPoints => this is PointsSignal or CombinedSignal;

    /// <summary>A sketch: white strokes on black, drawn over the whole picture at any scale. Colours count by their brightness.</summary>
    /// <param name="strokes">The sketch, with the picture's aspect ratio.</param>
    public static Signal Sketch(PixelImage strokes)
    {
        ArgumentNullException.ThrowIfNull(strokes);
        return new SketchSignal(strokes);
    }

    /// <summary>A sketch of vector strokes, drawn white on black and anti-aliased.</summary>
    /// <param name="strokes">The strokes, 1 to 16384; each touches the picture.</param>
    /// <param name="width">Width of the picture whose pixels the strokes are in.</param>
    /// <param name="height">Its height.</param>
    /// <exception cref="SignalException">There are no or too many strokes, or one does not touch the picture.</exception>
    /// <exception cref="ImageException">The size is out of range.</exception>
    public static Signal Sketch(IEnumerable<Stroke> strokes, int width, int height) => Sketch(strokes, width, height, CancellationToken.None);

    /// <summary>A coarse edit: the picture with a region roughly moved or painted over, as an RGB picture at any scale. <see cref="CoarseEdit.Move"/> makes one.</summary>
    /// <param name="picture">The coarse edit, with the picture's aspect ratio.</param>
    public static Signal Coarse(PixelImage picture)
    {
        ArgumentNullException.ThrowIfNull(picture);
        return new CoarseSignal(picture);
    }

    /// <summary>A coarse edit by moving a region, <see cref="CoarseEdit.Move"/>; metadata keeps mask and transform in place of the picture.</summary>
    /// <param name="picture">The picture that is edited.</param>
    /// <param name="mask">Which pixels move, of the picture's size.</param>
    /// <param name="transform">Where a point of the region goes, in pixels.</param>
    /// <exception cref="SignalException">As for <see cref="CoarseEdit.Move"/>.</exception>
    public static Signal Move(PixelImage picture, PixelImage mask, System.Numerics.Matrix3x2 transform) =>
        Move(picture, mask, transform, CancellationToken.None);

    /// <summary>
    /// Drag points (paper, appendix A). In the conditional half, at the output of every spatial transformer block, the source frame's tokens at the
    /// sources are added to the edited frame's tokens at the targets; the control encoder sees an empty sketch unless one is given too (<see cref="Combine"/>).
    /// The released weights were trained on sketches only: the result carries <see cref="EditWarningKind.PointsUntrained"/>.
    /// </summary>
    /// <param name="points">The drags, 1 to <see cref="MaxPoints"/>, in the pixels of the picture that is edited; whether they lie inside it is checked by the edit.</param>
    /// <exception cref="SignalException">There are no or too many points, or a coordinate is not finite.</exception>
    public static Signal Points(IEnumerable<DragPoint> points)
    {
        ArgumentNullException.ThrowIfNull(points);
        DragPoint[] list = [.. points.Take(MaxPoints + 1)];
        if (list.Length is 0 or > MaxPoints)
        {
            throw new SignalException($"A signal has from 1 to {MaxPoints} drag points, not {(list.Length == 0 ? "none" : "more")}.");
        }

        for (var i = 0; i < list.Length; i++)
        {
            var (source, target) = list[i];
            if (!(float.IsFinite(source.X) && float.IsFinite(source.Y) && float.IsFinite(target.X) && float.IsFinite(target.Y)))
            {
                throw new SignalException($"Drag point {i} has a coordinate that is no finite number.");
            }
        }

        return new PointsSignal(list);
    }

    /// <summary>A sketch of vector strokes, whose drawing can be cancelled.</summary>
    internal static Signal Sketch(IEnumerable<Stroke> strokes, int width, int height, CancellationToken cancel)
    {
        ArgumentNullException.ThrowIfNull(strokes);
        Stroke[] list = [.. strokes.Take(StrokeRasterizer.MaxStrokes + 1)];
        return new SketchSignal(StrokeRasterizer.Draw(list, width, height, cancel)) { Vectors = list };
    }

    /// <summary>A moved region, whose drawing can be cancelled.</summary>
    internal static Signal Move(PixelImage picture, PixelImage mask, System.Numerics.Matrix3x2 transform, CancellationToken cancel) =>
        new CoarseSignal(CoarseEdit.Draw(picture, mask, transform, cancel)) { Move = (mask, transform) };

    /// <summary>Both signals at once: drag points beside a sketch or a coarse edit, in any order.</summary>
    /// <param name="first">One signal.</param>
    /// <param name="second">The other.</param>
    /// <exception cref="SignalException">They do not go together; the message names them.</exception>
    public static Signal Combine(Signal first, Signal second)
    {
        ArgumentNullException.ThrowIfNull(first);
        ArgumentNullException.ThrowIfNull(second);
        return (first, second) switch
        {
            (SketchSignal or CoarseSignal, PointsSignal points) => new CombinedSignal(first, points),
            (PointsSignal points, SketchSignal or CoarseSignal) => new CombinedSignal(second, points),
            (PointsSignal, PointsSignal) => throw new SignalException("Drag points cannot be combined with drag points; give all of them in one signal."),
            (CombinedSignal, _) or (_, CombinedSignal) => throw new SignalException($"A {first.Kind} cannot be combined with a {second.Kind}: one of them is a combination already."),
            _ => throw new SignalException($"A {first.Kind} cannot be combined with a {second.Kind}: both are pictures for the control encoder, which takes one; draw them into one picture."),
        };
    }
}

/// <summary>A sketch as an image.</summary>
internal sealed class SketchSignal(PixelImage strokes) : Signal
{
    public PixelImage Strokes => strokes;

    /// <summary>The strokes that it was drawn from, or null.</summary>
    public IReadOnlyList<Stroke>? Vectors { get; init; }

    internal override string Kind => "sketch";
}

/// <summary>A coarse edit as an image.</summary>
internal sealed class CoarseSignal(PixelImage picture) : Signal
{
    public PixelImage Picture => picture;

    /// <summary>The mask and transform that it was made by, or null.</summary>
    public new (PixelImage Mask, System.Numerics.Matrix3x2 Transform)? Move { get; init; }

    internal override string Kind => "coarse edit";
}

/// <summary>Drag points.</summary>
internal sealed class PointsSignal(DragPoint[] points) : Signal
{
    public ReadOnlySpan<DragPoint> Drags => points;

    internal override string Kind => "set of drag points";
}

/// <summary>A picture for the control encoder, and drag points.</summary>
internal sealed class CombinedSignal(Signal picture, PointsSignal points) : Signal
{
    public Signal Picture => picture;

    public PointsSignal Drags => points;

    internal override string Kind => $"{picture.Kind} with drag points";
}
