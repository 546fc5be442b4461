using System.Numerics;
using FramePainter.Core.Tests.Support;
using FramePainter.Pipeline;

namespace FramePainter.Core.Tests.Signals;

/// <summary>Drag points and combined signals, up to what the networks get of them.</summary>
public sealed class PointSignalTests
{
    static readonly Signal s_sketch = Signal.Sketch(Pictures.Random(64, 64, PixelFormat.Gray8));
    static readonly Signal s_coarse = Signal.Coarse(Pictures.Random(64, 64, PixelFormat.Rgb24));
    static readonly Signal s_points = Signal.Points([new(new(1, 2), new(3, 4))]);

    [Fact]
    public void Points_become_shares_of_the_working_picture_and_the_rest_is_padding()
    {
        var size = SizePlan.Create(200, 100, (64, 128), 64, Fit.Stretch);
        var prepared = PreparedSignal.Of(Signal.Points([new(new(0, 0), new(150, 25)), new(new(100, 50), new(199.99f, 99.99f))]), size, 3);
        Assert.Equal([0, 0, 0.75f, 0.25f, 0.5f, 0.5f, 199.99f / 200, 99.99f / 100, -1, -1, -1, -1], prepared.Points!);
        Assert.Equal(EditWarningKind.PointsUntrained, Assert.Single(prepared.Warnings).Kind);
        Assert.Equal((64, 128), (prepared.Control.Width, prepared.Control.Height));
        Assert.True(prepared.Control.Pixels.IndexOfAnyExcept((byte)0) < 0);
    }

    [Fact]
    public void Padding_of_the_picture_shrinks_the_shares()
    {
        var size = SizePlan.Create(200, 100, (128, 128), 64, Fit.Pad);
        Assert.Equal([0.5f, 0.25f, 0.75f, 0.25f], PreparedSignal.Of(Signal.Points([new(new(100, 50), new(150, 50))]), size, 1).Points!);
    }

    [Theory]
    [InlineData(-0.01f, 0)]
    [InlineData(0, -1)]
    [InlineData(64, 0)]
    [InlineData(0, 64)]
    public void Points_outside_the_picture_are_refused_at_either_end(float x, float y)
    {
        var size = SizePlan.Create(64, 64, null, 64, Fit.Stretch);
        var inside = new Vector2(3, 3);
        Assert.Contains("source of drag point 1", Assert.Throws<SignalException>(() => PreparedSignal.Of(Signal.Points([new(inside, inside), new(new(x, y), inside)]), size, 4)).Message, StringComparison.Ordinal);
        Assert.Contains("target of drag point 0", Assert.Throws<SignalException>(() => PreparedSignal.Of(Signal.Points([new(inside, new(x, y))]), size, 4)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Counts_and_numbers_are_checked()
    {
        Assert.Throws<SignalException>(() => Signal.Points([]));
        Assert.Throws<SignalException>(() => Signal.Points(Enumerable.Repeat(default(DragPoint), Signal.MaxPoints + 1)));
        Assert.Throws<SignalException>(() => Signal.Points([new(new(float.NaN, 0), default)]));
        Assert.Throws<SignalException>(() => Signal.Points([new(default, new(0, float.PositiveInfinity))]));
        var size = SizePlan.Create(64, 64, null, 64, Fit.Stretch);
        var error = Assert.Throws<SignalException>(() => PreparedSignal.Of(Signal.Points(Enumerable.Repeat(default(DragPoint), 5)), size, 4));
        Assert.Contains(nameof(EditOptions.PointCapacity), error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Points_go_beside_a_picture_in_any_order()
    {
        var size = SizePlan.Create(64, 64, null, 64, Fit.Stretch);
        foreach (var (picture, both) in new[] { (s_sketch, Signal.Combine(s_sketch, s_points)), (s_coarse, Signal.Combine(s_points, s_coarse)) })
        {
            var prepared = PreparedSignal.Of(both, size, 2);
            Assert.Equal(PreparedSignal.Of(picture, size, 2).Control.Pixels.ToArray(), prepared.Control.Pixels.ToArray());
            Assert.Equal(PreparedSignal.Of(s_points, size, 2).Points, prepared.Points);
            Assert.Single(prepared.Warnings);
        }

        Assert.Empty(PreparedSignal.Of(s_sketch, size, 2).Warnings);
        Assert.Null(PreparedSignal.Of(s_sketch, size, 2).Points);
    }

    [Fact]
    public void Signals_that_do_not_go_together_are_named()
    {
        Assert.Contains("sketch cannot be combined with a coarse edit", Refused(s_sketch, s_coarse), StringComparison.Ordinal);
        Assert.Contains("sketch cannot be combined with a sketch", Refused(s_sketch, s_sketch), StringComparison.Ordinal);
        Assert.Contains("one signal", Refused(s_points, s_points), StringComparison.Ordinal);
        Assert.Contains("sketch with drag points", Refused(Signal.Combine(s_sketch, s_points), s_points), StringComparison.Ordinal);
    }

    static string Refused(Signal first, Signal second) => Assert.Throws<SignalException>(() => Signal.Combine(first, second)).Message;
}
