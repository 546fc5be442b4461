namespace FramePainter.Core.Tests.Engine;

/// <summary>Steps that leave the unconditional half out.</summary>
public sealed class SkipUnconditionalTests
{
    static readonly PixelImage s_picture = Noise(1);
    static readonly Signal s_sketch = Signal.Sketch(Noise(2));
    static readonly EditOptions s_four = new() { Steps = 4 };

    [Fact]
    public void Below_every_weight_it_changes_no_bit()
    {
        using var painter = Open();
        Assert.Equal(painter.Edit(s_picture, s_sketch, s_four).Latents, painter.Edit(s_picture, s_sketch, s_four with { SkipUnconditionalBelow = 1 }).Latents);
    }

    [Fact]
    public void Above_every_weight_it_is_the_conditional_half_alone()
    {
        using var painter = Open();
        var skipped = painter.Edit(s_picture, s_sketch, s_four with { SkipUnconditionalBelow = 100 });
        Assert.Equal(painter.Edit(s_picture, s_sketch, s_four with { Guidance = 0.5f }).Latents, skipped.Latents);
        Assert.NotEqual(painter.Edit(s_picture, s_sketch, s_four).Latents, skipped.Latents);
    }

    /// <summary>The weights of four steps are 1.0001, 1.00006, 1.000025 and 1.000006: hardly anything is lost, unless the change of plans loses it.</summary>
    [Theory]
    [InlineData(1.00008f, 1)]
    [InlineData(1.00004f, 2)]
    [InlineData(1.00001f, 3)]
    public void From_the_first_light_weight_on_the_other_plan_takes_over(float below, int both)
    {
        using var painter = Open();
        var options = s_four with { Guidance = 1.0001f };
        var (all, half) = (painter.Edit(s_picture, s_sketch, options), painter.Edit(s_picture, s_sketch, options with { Guidance = 0.5f }));
        using var session = painter.Open(s_picture);
        foreach (var times in new[] { 1, 2 })
        {
            var skipped = session.Edit(s_sketch, options with { SkipUnconditionalBelow = below });
            var difference = all.Latents.Zip(skipped.Latents, (a, b) => (double)(a - b) * (a - b)).Sum();
            Assert.InRange(Math.Sqrt(difference / all.Latents.Sum(a => (double)a * a)), 1e-12, 1e-4);
            Assert.Equal(((Flops(all) * both) + (Flops(half) * (4 - both))) / 4, Flops(skipped), 1.0);
            Assert.Equal(times, session.History.Count);
        }
    }

    [Fact]
    public void Metadata_tells_and_a_capture_in_a_light_step_is_had()
    {
        using var painter = Open();
        var options = s_four with { SkipUnconditionalBelow = 1.6f };
        var plain = painter.Edit(s_picture, s_sketch, options);
        Assert.Equal(options.SkipUnconditionalBelow, EditMetadata.FromJson(plain.Metadata.ToJson()).Options.SkipUnconditionalBelow);
        var captured = painter.Edit(s_picture, s_sketch, options with { Capture = MatchCapture.At(9, 3) });
        Assert.Equal(plain.Latents, captured.Latents);
        Assert.Equal(1, captured.Matches!.Heat(new System.Numerics.Vector2(10, 10)).ToArray().Sum(h => (double)h), 1e-5);
    }

    static double Flops(EditResult result) => result.Timings.Single(t => t.Stage == EditStage.Denoise).Flops;

    static Painter Open() => Painter.Load(new PainterOptions { Model = Repository.TinyModel, Threads = 2 });

    static PixelImage Noise(int seed)
    {
        var pixels = new byte[64 * 64 * 3];
        new Random(seed).NextBytes(pixels);
        return PixelImage.FromPixels(pixels, 64, 64, PixelFormat.Rgb24);
    }
}
