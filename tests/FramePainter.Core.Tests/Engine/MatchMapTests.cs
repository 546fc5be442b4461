using System.Numerics;
using FramePainter.Core.Tests.Support;

namespace FramePainter.Core.Tests.Engine;

/// <summary>Attention maps kept from edits.</summary>
[Collection(nameof(Alone))]
public sealed class MatchMapTests
{
    static readonly PixelImage s_picture = Pictures.Random(128, 64, PixelFormat.Rgb24, 3);
    static readonly Signal s_sketch = Signal.Sketch(Pictures.Random(128, 64, PixelFormat.Rgb24, 4));
    static readonly EditOptions s_two = new() { Steps = 2 };

    [Fact]
    public void Points_lie_in_tokens_and_match_the_strongest_one()
    {
        // 2×1 tokens of 50×30 pixels on a picture of 90×30: the last column is partly padding.
        var map = new MatchMap(new AttentionBlock(0, "b", 8), 0, 2, 1, [0.25f, 0.75f, 0.5f, 0.5f], new Vector2(90, 30), new Vector2(50, 30));
        Assert.Equal([0.25f, 0.75f], map.Heat(new Vector2(49.9f, 29)).ToArray());
        Assert.Equal([0.5f, 0.5f], map.Heat(new Vector2(50, 0)).ToArray());
        Assert.Equal(new Vector2(75, 15), map.Match(Vector2.Zero));
        Assert.Equal(new Vector2(25, 15), map.Match(new Vector2(89, 0)));
        Assert.Equal([new Vector2(50, 0), new Vector2(-50, 0)], map.Flow());
        foreach (var outside in new Vector2[] { new(-1, 0), new(0, -0.1f), new(90, 0), new(0, 30), new(float.NaN, 0) })
        {
            Assert.Throws<ArgumentOutOfRangeException>(() => map.Match(outside));
        }
    }

    [Theory]
    [InlineData(AttentionKind.Matching)]
    [InlineData(AttentionKind.CrossFrame)]
    public void Capturing_changes_no_bit_of_the_edit(AttentionKind kind)
    {
        using var painter = Open(kind);
        var plain = painter.Edit(s_picture, s_sketch, s_two);
        var seen = painter.Edit(s_picture, s_sketch, s_two with { Capture = MatchCapture.AtResolution(16, 1) });
        Assert.Null(plain.Matches);
        Assert.Equal(plain.Latents, seen.Latents);
        var map = seen.Matches!;
        Assert.Equal((8, 4, 1), (map.Width, map.Height, map.Step));
        Assert.Equal(painter.AttentionBlocks.Last(b => b.PixelsPerToken == 16), map.Block);
        for (var y = 8; y < 64; y += 16)
        {
            for (var x = 8; x < 128; x += 16)
            {
                var heat = map.Heat(new Vector2(x, y)).ToArray();
                Assert.Equal(1, heat.Sum(h => (double)h), 1e-5);
                var best = Array.IndexOf(heat, heat.Max());
                Assert.Equal(new Vector2((best % 8 * 16) + 8, (best / 8 * 16) + 8), map.Match(new Vector2(x, y)));
                Assert.Equal(map.Match(new Vector2(x, y)) - new Vector2(x, y), map.Flow()[(y / 16 * 8) + (x / 16)]);
            }
        }

        Assert.Null(seen.Metadata.Options.Capture);
    }

    [Fact]
    public void An_estimate_counts_the_map_and_the_head_it_is_read_by()
    {
        // 32×32 tokens; the op that captures adds a few objects.
        var (options, edit) = (new PainterOptions { Model = Repository.TinyModel, Device = Device.Cpu, Threads = 2 }, s_two with { Size = (512, 512) });
        var plain = Painter.Estimate(options, edit, calibration: TimeSpan.Zero, cancel: TestContext.Current.CancellationToken);
        var seen = Painter.Estimate(options, edit with { Capture = MatchCapture.AtResolution(16, 1) }, calibration: TimeSpan.Zero, cancel: TestContext.Current.CancellationToken);
        Assert.InRange(seen.PictureBytes - plain.PictureBytes, 2 * 1024 * 1024 * sizeof(float), (2 * 1024 * 1024 * sizeof(float)) + (1 << 18));
    }

    [Fact]
    public void The_map_is_the_conditional_half_s_at_the_step_asked_for()
    {
        // Guidance does not touch what the first step's conditional half sees: with one half or two it is the same map.
        using var painter = Open(AttentionKind.Matching);
        var capture = MatchCapture.At(9, 0);
        var two = painter.Edit(s_picture, s_sketch, s_two with { Capture = capture }).Matches!;
        var one = painter.Edit(s_picture, s_sketch, s_two with { Capture = capture, Guidance = 0.5f }).Matches!;
        var later = painter.Edit(s_picture, s_sketch, s_two with { Capture = MatchCapture.At(9, 1) }).Matches!;
        var point = new Vector2(70, 20);
        Assert.All(two.Heat(point).ToArray().Zip(one.Heat(point).ToArray()), p => Assert.Equal(p.First, p.Second, 1e-4f * p.First));
        Assert.NotEqual(two.Heat(point).ToArray(), later.Heat(point).ToArray());
        var coarse = painter.Edit(s_picture, Signal.Coarse(s_picture), s_two with { Capture = capture }).Matches!;
        Assert.NotEqual(two.Heat(point).ToArray(), coarse.Heat(point).ToArray());
    }

    [Fact]
    public void A_session_captures_when_asked_and_only_then()
    {
        using var painter = Open(AttentionKind.Matching);
        using var session = painter.Open(s_picture);
        var options = s_two with { Capture = MatchCapture.At(3, 1) };
        var expected = painter.Edit(s_picture, s_sketch, options);
        Assert.Null(session.Edit(s_sketch, s_two).Matches);
        var seen = session.Edit(s_sketch, options);
        Assert.Equal(expected.Latents, seen.Latents);
        Assert.Equal(expected.Matches!.Heat(Vector2.Zero).ToArray(), seen.Matches!.Heat(Vector2.Zero).ToArray());
        Assert.Null(session.Edit(s_sketch, s_two).Matches);
    }

    [Fact]
    public void What_cannot_be_captured_is_named()
    {
        using var painter = Open(AttentionKind.Matching);
        Assert.Contains("0 to 9", Refused(MatchCapture.At(10, 0)), StringComparison.Ordinal);
        Refused(MatchCapture.At(-1, 0));
        Assert.Contains("8, 16, 32, 64", Refused(MatchCapture.AtResolution(4, 0)), StringComparison.Ordinal);
        Refused(MatchCapture.At(0, 2));
        Refused(MatchCapture.At(0, -1));
        var large = Assert.Throws<PlanException>(() => painter.Edit(s_picture, s_sketch, s_two with { Capture = MatchCapture.At(0, 0), Size = (1024, 512) }));
        Assert.Contains("8192", large.Message, StringComparison.Ordinal);
        using var temporal = Open(AttentionKind.Temporal);
        Assert.Empty(temporal.AttentionBlocks);
        Assert.Throws<OptionException>(() => temporal.Edit(s_picture, s_sketch, s_two with { Capture = MatchCapture.At(0, 0) }));

        string Refused(MatchCapture capture)
        {
            var error = Assert.Throws<OptionException>(() => painter.Edit(s_picture, s_sketch, s_two with { Capture = capture }));
            Assert.Equal(nameof(EditOptions.Capture), error.Option);
            return error.Message;
        }
    }

    static Painter Open(AttentionKind kind) => Painter.Load(new PainterOptions { Model = Repository.TinyModel, Threads = 2, Attention = kind });
}
