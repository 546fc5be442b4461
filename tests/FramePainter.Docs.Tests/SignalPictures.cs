using System.Numerics;
using FramePainter.Imaging;
using FramePainter.Toy;

namespace FramePainter.Docs.Tests;

/// <summary>The pictures of the pages about signals: what goes in and what comes out, by the toy.</summary>
public sealed class SignalPictures : IDisposable
{
    // Arrows are drawn on a larger picture, so that they are thinner than a pixel of it.
    const int Zoom = 4;

    static readonly ToySample s_sample = ToyModel.Samples.Single(s => s.Name == "007");
    static readonly PixelImage s_source = ImageFile.Load(s_sample.Source.Span).ToRgb();
    static readonly PixelImage s_sketch = ImageFile.Load(s_sample.Sketch.Span);

    // How far the sample's disc goes.
    static readonly Vector2 s_way = new(21, 0);

    readonly Painter _painter = Painter.Load(new PainterOptions { Model = ToyModel.Folder, Device = Device.Cpu });

    public void Dispose() => _painter.Dispose();

    [Fact]
    public void Sketch() => Check("before-sketch-after", SideBySide.Compose(s_source, s_sketch, Edit(Signal.Sketch(s_sketch))));

    [Fact]
    public void Points()
    {
        DragPoint[] drags = [.. Disc().Select(p => new DragPoint(p, p + s_way))];
        Check("signal-points", SideBySide.Compose(Arrows(drags), Edit(Signal.Combine(Signal.Sketch(s_sketch), Signal.Points(drags))), Edit(Signal.Points(drags))));
    }

    [Fact]
    public void Region()
    {
        var (mask, way) = (Mask(), Matrix3x2.CreateTranslation(s_way));
        Check("signal-region", SideBySide.Compose(s_source, mask, CoarseEdit.Move(s_source, mask, way), Edit(Signal.Move(s_source, mask, way))));
    }

    [Fact]
    public void Correspondence()
    {
        var result = _painter.Edit(s_source, Signal.Sketch(s_sketch), Options with { Capture = MatchCapture.AtResolution(8, 12) }, TestContext.Current.CancellationToken);
        Check("correspondence", MatchDrawing.Pair(s_source, result.Edited, result.Matches!, new(50, 14)));
    }

    static EditOptions Options => new() { Seed = s_sample.Seed, Draws = DrawPrecision.Float32 };

    PixelImage Edit(Signal signal) => _painter.Edit(s_source, signal, Options, TestContext.Current.CancellationToken).Edited;

    /// <summary>Points within the sample's disc.</summary>
    static IEnumerable<Vector2> Disc() => from y in new[] { 8, 14, 20 } from x in new[] { 23, 29, 35 } select new Vector2(x, y);

    /// <summary>White where the sample's green disc is.</summary>
    static PixelImage Mask() => PixelImage.FromPixels(
        [.. Enumerable.Range(0, s_source.Width * s_source.Height).Select(i => s_source.Pixels[i * 3] < 140 ? (byte)255 : (byte)0)], s_source.Width, s_source.Height, PixelFormat.Gray8);

    static PixelImage Arrows(IEnumerable<DragPoint> drags)
    {
        var (side, large) = (s_source.Width * Zoom, new byte[s_source.Pixels.Length * Zoom * Zoom]);
        for (var i = 0; i < side * side; i++)
        {
            s_source.Pixels.Slice((((i / side / Zoom) * s_source.Width) + (i % side / Zoom)) * 3, 3).CopyTo(large.AsSpan(i * 3));
        }

        foreach (var drag in drags)
        {
            for (var t = 0f; t <= 1; t += 1f / 256)
            {
                var (at, radius) = (Vector2.Lerp(drag.Source, drag.Target, t) * Zoom, t < 0.01f ? 3 : 0);
                for (var (dx, dy) = (-radius, -radius); dy <= radius; (dx, dy) = dx < radius ? (dx + 1, dy) : (-radius, dy + 1))
                {
                    var (x, y) = ((int)at.X + dx, (int)at.Y + dy);
                    if (x >= 0 && y >= 0 && x < side && y < side)
                    {
                        (large[((y * side) + x) * 3], large[(((y * side) + x) * 3) + 1], large[(((y * side) + x) * 3) + 2]) = (255, 214, 10);
                    }
                }
            }
        }

        return PixelImage.FromPixels(large, side, side, PixelFormat.Rgb24);
    }

    /// <summary>Compares with the picture in the documentation, or writes it. Other processors round differently: by a level here and there.</summary>
    static void Check(string name, PixelImage made)
    {
        var path = Repository.PathOf($"docs/images/{name}.png");
        if (Repository.IsUpdating)
        {
            ImageFile.Save(made, path, overwrite: true);
            return;
        }

        var shown = ImageFile.Load(path).ToRgb();
        Assert.Equal((made.Width, made.Height), (shown.Width, shown.Height));
        var sum = 0L;
        for (var i = 0; i < made.Pixels.Length; i++)
        {
            sum += Math.Abs(made.Pixels[i] - shown.Pixels[i]);
        }

        Assert.True(sum / (double)made.Pixels.Length < 0.5, $"docs/images/{name}.png is not what it would be today; docs/generate.sh makes it anew.");
    }
}
