namespace FramePainter.Pipeline;

/// <summary>
/// Which size an edit works in, and the way of each picture there and back.
/// The model takes multiples of its grid only; the picture is stretched to such a size, or fitted into its top left corner (<see cref="FramePainter.Fit"/>).
/// </summary>
sealed class SizePlan
{
    /// <summary>How far, relatively, a signal's aspect ratio may be from the picture's: far more than rounding does, far less than a crop does.</summary>
    const double AspectTolerance = 0.02;

    SizePlan(int sourceWidth, int sourceHeight, int width, int height, Fit fit)
    {
        (SourceWidth, SourceHeight, Width, Height, Fit) = (sourceWidth, sourceHeight, width, height, fit);
        (ContentWidth, ContentHeight) = (width, height);
        if (fit == Fit.Pad)
        {
            var scale = Math.Min((double)width / sourceWidth, (double)height / sourceHeight);
            ContentWidth = Math.Clamp((int)Math.Round(sourceWidth * scale), 1, width);
            ContentHeight = Math.Clamp((int)Math.Round(sourceHeight * scale), 1, height);
        }
    }

    /// <summary>Threads of the processor that resizing may take.</summary>
    public int Threads { get; init; } = 1;

    /// <summary>Width of the caller's picture, and of what goes back to the caller.</summary>
    public int SourceWidth { get; }

    /// <summary>Height of the caller's picture, and of what goes back to the caller.</summary>
    public int SourceHeight { get; }

    /// <summary>The width that the model works in.</summary>
    public int Width { get; }

    /// <summary>The height that the model works in.</summary>
    public int Height { get; }

    /// <summary>How the picture is brought to the working size.</summary>
    public Fit Fit { get; }

    /// <summary>Width of the part, at the left, that shows the picture; the rest is padding.</summary>
    public int ContentWidth { get; }

    /// <summary>Height of the part, at the top, that shows the picture; the rest is padding.</summary>
    public int ContentHeight { get; }

    /// <summary>Plans the sizes of an edit.</summary>
    /// <param name="sourceWidth">Width of the caller's picture.</param>
    /// <param name="sourceHeight">Height of the caller's picture.</param>
    /// <param name="requested">The working size asked for. If none is: each side of the picture rounded to the nearest multiple of the grid (halves up), at least one cell.</param>
    /// <param name="grid">What both sides of the working size must be multiples of, in pixels.</param>
    /// <param name="fit">How the picture is brought to the working size.</param>
    /// <param name="threads">Threads of the processor that resizing may take.</param>
    /// <exception cref="OptionException">The size asked for is not on the grid.</exception>
    /// <exception cref="ImageException">A size is out of range.</exception>
    public static SizePlan Create(int sourceWidth, int sourceHeight, (int Width, int Height)? requested, int grid, Fit fit, int threads = 1)
    {
        PixelImage.CheckSize(sourceWidth, sourceHeight);
        var (width, height) = requested ?? (Nearest(sourceWidth, grid), Nearest(sourceHeight, grid));
        if (width < 1 || height < 1 || width % grid != 0 || height % grid != 0)
        {
            throw new OptionException(
                "Size",
                $"This model works in multiples of {grid} pixels; {width}×{height} is none. The nearest is {Nearest(width, grid)}×{Nearest(height, grid)}.");
        }

        PixelImage.CheckSize(width, height);
        return new SizePlan(sourceWidth, sourceHeight, width, height, fit) { Threads = threads };
    }

    /// <summary>The same picture in a working size of about this shape.</summary>
    /// <param name="longSide">Cells of the grid along the longer side.</param>
    /// <param name="grid">The grid.</param>
    public SizePlan Scaled(int longSide, int grid)
    {
        var scale = (double)longSide * grid / Math.Max(Width, Height);
        return Create(SourceWidth, SourceHeight, (Cells(Width), Cells(Height)), grid, Fit);

        int Cells(int side) => Math.Max(1, (int)Math.Round(side * scale / grid)) * grid;
    }

    /// <summary>The caller's picture at the working size, RGB, resized by Lanczos.</summary>
    /// <param name="source">A picture of the source size.</param>
    public PixelImage PrepareSource(PixelImage source) =>
        Place(PillowResize.Resize(source.ToRgb(), ContentWidth, ContentHeight, ResizeFilter.Lanczos, Threads));

    /// <summary>A sketch (white on black, of any size and format) at the working size: grey, resized by bicubic, repeated to RGB.</summary>
    /// <param name="sketch">The sketch; alpha is dropped.</param>
    /// <exception cref="SignalException">The sketch's aspect ratio is not the picture's.</exception>
    public PixelImage PrepareSketch(PixelImage sketch)
    {
        CheckAspect(sketch, "sketch");
        return Place(PillowResize.Resize(sketch.ToGray(), ContentWidth, ContentHeight, ResizeFilter.Bicubic, Threads).ToRgb());
    }

    /// <summary>A coarse edit (a picture of any size) at the working size, RGB, resized by Lanczos.</summary>
    /// <param name="coarse">The coarse edit; alpha is dropped.</param>
    /// <exception cref="SignalException">The coarse edit's aspect ratio is not the picture's.</exception>
    public PixelImage PrepareCoarse(PixelImage coarse)
    {
        CheckAspect(coarse, "coarse edit");
        return PrepareSource(coarse);
    }

    /// <summary>A result brought back to the caller's size: the padding is cut off, the rest resized by Lanczos.</summary>
    /// <param name="result">A picture of the working size.</param>
    public PixelImage Restore(PixelImage result)
    {
        var content = PictureEdges.Crop(result, ContentWidth, ContentHeight);
        return PillowResize.Resize(content, SourceWidth, SourceHeight, ResizeFilter.Lanczos, Threads);
    }

    /// <summary>The multiple of the grid next to a side: at least one cell, at most what a picture may have.</summary>
    static int Nearest(int side, int grid)
    {
        var cells = (Math.Max(side, 0) + ((long)grid / 2)) / grid;
        return (int)Math.Clamp(cells, 1, Math.Max(PixelImage.MaxSide / grid, 1)) * grid;
    }

    PixelImage Place(PixelImage content) => PictureEdges.Extend(content, Width, Height);

    /// <summary>Refuses a signal's picture of another shape.</summary>
    /// <param name="signal">The picture.</param>
    /// <param name="kind">What it is, for the message.</param>
    /// <exception cref="SignalException">Its aspect ratio is not the picture's.</exception>
    public void CheckAspect(PixelImage signal, string kind)
    {
        // A signal drawn at the working size is welcome too: a stretched picture has that aspect ratio by then.
        if (HasAspect(signal, SourceWidth, SourceHeight) || (Fit == Fit.Stretch && HasAspect(signal, Width, Height)))
        {
            return;
        }

        throw new SignalException(
            $"The {kind} of {signal.Width}×{signal.Height} pixels does not have the aspect ratio of the picture of {SourceWidth}×{SourceHeight}; draw it over the whole picture, at any scale.");
    }

    /// <summary>Whether a signal is a picture of the given size at some scale: within the tolerance, or less than a pixel off, which is more where sides are short.</summary>
    static bool HasAspect(PixelImage signal, int width, int height)
    {
        var exactWidth = (double)signal.Height * width / height;
        var exactHeight = (double)signal.Width * height / width;
        return IsNear(signal.Width, exactWidth) || IsNear(signal.Height, exactHeight);
    }

    static bool IsNear(int side, double exact)
    {
        var difference = Math.Abs(side - exact);
        return difference < 1 || difference <= AspectTolerance * exact;
    }
}
