namespace FramePainter;

/// <summary>What a person wants changed. Made by the factory methods.</summary>
public abstract class Signal
{
    private protected Signal()
    {
    }

    /// <summary>A sketch: white strokes on black, drawn over the whole picture at any scale. Colours count by their brightness.</summary>
    /// <param name="strokes">The sketch, with the picture's aspect ratio.</param>
    public static Signal Sketch(PixelImage strokes)
    {
        ArgumentNullException.ThrowIfNull(strokes);
        return new SketchSignal(strokes);
    }

    /// <summary>A coarse edit: the picture with a region roughly moved or painted over, as an RGB picture at any scale.</summary>
    /// <param name="picture">The coarse edit, with the picture's aspect ratio.</param>
    public static Signal Coarse(PixelImage picture)
    {
        ArgumentNullException.ThrowIfNull(picture);
        return new CoarseSignal(picture);
    }
}

/// <summary>A sketch as an image.</summary>
internal sealed class SketchSignal(PixelImage strokes) : Signal
{
    public PixelImage Strokes => strokes;
}

/// <summary>A coarse edit as an image.</summary>
internal sealed class CoarseSignal(PixelImage picture) : Signal
{
    public PixelImage Picture => picture;
}
