using System.Numerics;

namespace FramePainter.Core.Tests.Signals;

/// <summary>Strokes drawn as pixels.</summary>
public sealed class StrokeTests
{
    [Theory]
    [InlineData(2, new byte[] { 0, 0, 255, 255, 0, 0 })]
    [InlineData(3, new byte[] { 0, 128, 255, 255, 128, 0 })]
    [InlineData(1, new byte[] { 0, 0, 128, 128, 0, 0 })]
    [InlineData(0.5f, new byte[] { 0, 0, 64, 64, 0, 0 })]
    public void A_level_line_covers_each_row_by_its_share(float width, byte[] column)
    {
        var picture = Draw(9, 6, new Stroke([new(-20, 3), new(20, 3)], width));
        for (var i = 0; i < picture.Length; i++)
        {
            Assert.Equal(column[i / 9], picture[i]);
        }
    }

    [Fact]
    public void A_line_in_any_direction_is_the_set_of_near_pixels()
    {
        // The whole line at once, against the rasteriser's small boxes.
        foreach (var (from, to, width) in new (Vector2, Vector2, float)[] { (new(3, 4), new(90, 61), 5), (new(80, 2), new(7, 66), 1.5f), (new(-40, 30), new(140, 33), 11), (new(50, 50), new(50, 50), 20) })
        {
            var picture = Draw(100, 70, new Stroke([from, to], width));
            for (var i = 0; i < picture.Length; i++)
            {
                var p = new Vector2((i % 100) + 0.5f, (i / 100) + 0.5f);
                double length = Vector2.DistanceSquared(from, to);
                var t = length == 0 ? 0 : Math.Clamp(Vector2.Dot(p - from, to - from) / length, 0, 1);
                var distance = Math.Sqrt(Math.Pow(p.X - from.X - (t * (to.X - from.X)), 2) + Math.Pow(p.Y - from.Y - (t * (to.Y - from.Y)), 2));
                var covered = Math.Clamp(Math.Min(distance + 0.5, width / 2) - Math.Max(distance - 0.5, -width / 2), 0, 1);
                Assert.InRange(picture[i], (255 * covered) - 0.6, (255 * covered) + 0.6);
            }
        }
    }

    [Fact]
    public void Joints_and_crossings_are_no_brighter_than_lines()
    {
        var once = Draw(20, 20, new Stroke([new(0, 10), new(20, 10)], 1));
        Assert.Equal(once, Draw(20, 20, new Stroke([new(0, 10), new(7, 10), new(20, 10)], 1), new Stroke([new(0, 10), new(20, 10)], 1)));
    }

    [Fact]
    public void Bad_strokes_are_named()
    {
        Assert.Throws<SignalException>(() => new Stroke([], 1));
        Assert.Throws<SignalException>(() => new Stroke(Enumerable.Repeat(Vector2.Zero, Stroke.MaxPoints + 1), 1));
        foreach (var width in new[] { 0, -1, float.NaN, float.PositiveInfinity, 1e6f })
        {
            Assert.Throws<SignalException>(() => new Stroke([Vector2.Zero], width));
        }

        foreach (var bad in new[] { float.NaN, float.NegativeInfinity, 1e6f })
        {
            Assert.Contains("Point 1", Assert.Throws<SignalException>(() => new Stroke([Vector2.Zero, new(0, bad)], 1)).Message, StringComparison.Ordinal);
        }

        var stroke = new Stroke([new(1, 1)], 1);
        Assert.Throws<SignalException>(() => Signal.Sketch([], 8, 8));
        Assert.Throws<SignalException>(() => Signal.Sketch(Enumerable.Repeat(stroke, 16385), 8, 8));
        Assert.Throws<ImageException>(() => Signal.Sketch([stroke], 0, 8));
        Assert.Contains("Stroke 1", Assert.Throws<SignalException>(() => Signal.Sketch([stroke, new Stroke([new(20, 20)], 2)], 8, 8)).Message, StringComparison.Ordinal);
    }

    static byte[] Draw(int width, int height, params Stroke[] strokes) => ((SketchSignal)Signal.Sketch(strokes, width, height)).Strokes.Pixels.ToArray();
}
