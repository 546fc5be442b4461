using FramePainter.Tensors;
using FramePainter.Toy;

namespace FramePainter.Faults.Tests;

/// <summary>Limits of pictures, signals and sessions are held before memory is taken.</summary>
public sealed class LimitTests
{
    [Fact]
    public void Each_limit_refuses_what_is_over_it_and_takes_what_is_not()
    {
        var limits = new EditLimits { PicturePixels = 64 * 64, WorkingPixels = 128 * 64, Strokes = 2, StrokePoints = 5, DragPoints = 2, History = 3 };
        using var painter = Load(limits);
        var (picture, sketch, wide) = (Ground.Picture(), Ground.Sketch(), Blank(65, 64));
        var held = NativeBuffer.LiveBytes;
        NativeBuffer.ResetPeak();
        Refused<ImageException>(() => painter.Edit(wide, sketch, Ground.OneStep), "65×64", nameof(EditLimits.PicturePixels));
        Refused<ImageException>(() => painter.Open(wide), "65×64", nameof(EditLimits.PicturePixels));
        Refused<ImageException>(() => painter.Edit(picture, Signal.Sketch(wide), Ground.OneStep), "65×64", nameof(EditLimits.PicturePixels));
        Refused<ImageException>(() => painter.Edit(picture, Signal.Coarse(wide), Ground.OneStep), "65×64", nameof(EditLimits.PicturePixels));
        Refused<ImageException>(() => painter.Edit(picture, sketch, Ground.OneStep with { Size = (128, 128) }), "128×128", nameof(EditLimits.WorkingPixels));
        Refused<SignalException>(() => painter.Edit(picture, Strokes(3, 1), Ground.OneStep), "3 strokes", nameof(EditLimits.Strokes));
        Refused<SignalException>(() => painter.Edit(picture, Strokes(2, 3), Ground.OneStep), "6 points of strokes", nameof(EditLimits.StrokePoints));
        Refused<SignalException>(() => painter.Edit(picture, Points(3), Ground.OneStep), "3 drag points", nameof(EditLimits.DragPoints));
        Refused<SignalException>(() => painter.Edit(picture, Signal.Combine(Points(3), sketch), Ground.OneStep), "3 drag points", nameof(EditLimits.DragPoints));
        Assert.Equal(held, NativeBuffer.PeakBytes);

        Assert.NotNull(painter.Edit(picture, Strokes(2, 2), Ground.OneStep with { Size = (128, 64) }));
        Assert.NotNull(painter.Edit(picture, Signal.Combine(Points(2), sketch), Ground.OneStep));
    }

    [Fact]
    public void A_session_forgets_its_oldest_edits()
    {
        using var painter = Load(new EditLimits { History = 3 });
        using var session = painter.Open(Ground.Picture());
        for (var seed = 0; seed < 5; seed++)
            session.Edit(Ground.Sketch(), Ground.OneStep with { Seed = seed });

        Assert.Equal([2, 3, 4], session.History.Select(e => e.Options.Seed));
        session.Undo();
        session.Edit(Ground.Sketch(), Ground.OneStep with { Seed = 9 });
        Assert.Equal([2, 3, 9], session.History.Select(e => e.Options.Seed));
    }

    [Fact]
    public void Limits_out_of_range_are_named()
    {
        foreach (var limits in new[]
        {
            new EditLimits { PicturePixels = 0 }, new EditLimits { PicturePixels = PixelImage.MaxPixels + 1 }, new EditLimits { WorkingPixels = -1 }, new EditLimits { Strokes = 16385 },
            new EditLimits { StrokePoints = 0 }, new EditLimits { DragPoints = Signal.MaxPoints + 1 }, new EditLimits { History = 0 },
        })
        {
            var error = Assert.Throws<OptionException>(() => Load(limits));
            Assert.Contains($"EditLimits.{error.Option} is ", error.Message, StringComparison.Ordinal);
        }
    }

    static Painter Load(EditLimits limits) => Painter.Load(new PainterOptions { Model = ToyModel.Folder, Device = Device.Cpu, Threads = 2, Limits = limits });

    static void Refused<T>(Action edit, string figure, string limit)
        where T : FramePainterException
    {
        var error = Assert.Throws<T>(edit);
        Assert.Contains(figure, error.Message, StringComparison.Ordinal);
        Assert.Contains($"EditLimits.{limit}", error.Message, StringComparison.Ordinal);
    }

    static PixelImage Blank(int width, int height) => PixelImage.FromPixels(new byte[width * height], width, height, PixelFormat.Gray8);

    static Signal Strokes(int count, int points) =>
        Signal.Sketch(Enumerable.Range(0, count).Select(i => new Stroke(Enumerable.Range(0, points).Select(p => new System.Numerics.Vector2(5 + p, 5 + i)), 2)), 64, 64);

    static Signal Points(int count) => Signal.Points(Enumerable.Range(0, count).Select(i => new DragPoint(new(i + 1, 1), new(i + 2, 9))));
}
