using System.Numerics;
using FramePainter.Imaging;

namespace FramePainter.Studio;

/// <summary>What the page asks for. All of it is checked: it may come from anywhere. Its setters are plain because generated readers overwrite the defaults of init-only ones.</summary>
sealed class EditRequest
{
    const int MaxSteps = 1000;
    const int MaxPoints = 256;

    /// <summary>Denoising steps, 1 to 1000.</summary>
    public int Steps { get; set; } = EditOptions.Default.Steps;

    /// <summary>Seed of the noise.</summary>
    public long Seed { get; set; } = EditOptions.Default.Seed;

    /// <summary>Strength of the signal, 0 to 10.</summary>
    public float ControlScale { get; set; } = EditOptions.Default.ControlScale;

    /// <summary>Guidance, 0 to 100.</summary>
    public float Guidance { get; set; } = EditOptions.Default.Guidance;

    /// <summary>Whether noise is drawn in float32 and not in float16.</summary>
    public bool Float32Draws { get; set; }

    /// <summary>A PNG of white strokes on black or on nothing.</summary>
    public byte[]? Sketch { get; set; }

    /// <summary>A region to move instead of a sketch.</summary>
    public MoveRequest? Move { get; set; }

    /// <summary>Drags in the picture's pixels: from x, y to x, y.</summary>
    public IReadOnlyList<float[]>? Points { get; set; }

    /// <summary>The options; the map of matches is kept where the painter has a block for it.</summary>
    /// <exception cref="Problem">A value is out of range.</exception>
    public EditOptions ToOptions()
    {
        Require(Steps is >= 1 and <= MaxSteps, $"'steps' must be from 1 to {MaxSteps}.");
        Require(ControlScale is >= 0 and <= 10, "'controlScale' must be from 0 to 10.");
        Require(Guidance is >= 0 and <= 100, "'guidance' must be from 0 to 100.");
        return new EditOptions
        {
            Steps = Steps,
            Seed = Seed,
            ControlScale = ControlScale,
            Guidance = Guidance,
            Draws = Float32Draws ? DrawPrecision.Float32 : DrawPrecision.Float16,
            PointCapacity = Points?.Count > EditOptions.Default.PointCapacity ? MaxPoints : EditOptions.Default.PointCapacity,
        };
    }

    /// <summary>The signal for a picture.</summary>
    /// <exception cref="Problem">There is none, or it does not fit the picture.</exception>
    public Signal ToSignal(PixelImage picture, PictureIntake intake)
    {
        if (Sketch is not null && Move is not null)
            throw Problem.BadSignal("A sketch and a moved region are two pictures for the model, which takes one; clear one of them.");

        try
        {
            var control = Sketch is not null ? Signal.Sketch(Strokes.OnBlack(intake.Decode(Sketch))) : Move?.ToSignal(picture, intake);
            var points = Points is { Count: > 0 } ? Drags(picture) : null;
            return (control, points) switch
            {
                (null, null) => throw Problem.BadSignal("Nothing is drawn: sketch, drag or move something."),
                (null, not null) => points,
                (not null, null) => control,
                _ => Signal.Combine(control, points),
            };
        }
        catch (SignalException e)
        {
            throw Problem.BadSignal(e.Message);
        }
    }

    static void Require(bool holds, string message)
    {
        if (!holds)
            throw Problem.BadOption(message);
    }

    Signal Drags(PixelImage picture)
    {
        if (Points!.Count > MaxPoints)
            throw Problem.BadSignal($"Up to {MaxPoints} drags are accepted.");
        if (Points.Any(p => p is not { Length: 4 }))
            throw Problem.BadSignal("A drag has four numbers: from x, y to x, y.");

        var drags = Points.Select(p => new DragPoint(new Vector2(p[0], p[1]), new Vector2(p[2], p[3]))).ToArray();
        if (!drags.All(d => Inside(d.Source) && Inside(d.Target)))
            throw Problem.BadSignal("A drag begins or ends outside the picture.");

        return Signal.Points(drags);

        bool Inside(Vector2 p) => p.X >= 0 && p.Y >= 0 && p.X < picture.Width && p.Y < picture.Height;
    }
}

/// <summary>A region and where it goes.</summary>
sealed record MoveRequest
{
    /// <summary>A PNG of the picture's size, white where the region is.</summary>
    public required byte[] Mask { get; init; }

    /// <summary>Pixels to the right.</summary>
    public float X { get; init; }

    /// <summary>Pixels down.</summary>
    public float Y { get; init; }

    public Signal ToSignal(PixelImage picture, PictureIntake intake) =>
        Signal.Move(picture, intake.Decode(Mask), Matrix3x2.CreateTranslation(X, Y));
}
