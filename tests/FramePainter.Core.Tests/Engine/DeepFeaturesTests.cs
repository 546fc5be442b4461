using FramePainter.Backends.Cpu;
using FramePainter.Pipeline;
using FramePainter.Tensors;
using FramePainter.Weights;

namespace FramePainter.Core.Tests.Engine;

/// <summary>Deep features of one step reused in others.</summary>
public sealed class DeepFeaturesTests
{
    static readonly PixelImage s_picture = Noise(1);
    static readonly Signal s_sketch = Signal.Sketch(Noise(2));
    static readonly EditOptions s_four = new() { Steps = 4 };

    /// <summary>The part around the deep features, given those of the same step, is the whole; given others, it is not.</summary>
    [Fact]
    public void Around_its_own_deep_features_a_step_is_the_whole_one()
    {
        using var checkpoint = Checkpoint.Open(Repository.TinyModel);
        using var backend = new CpuBackend(2);
        using var weights = backend.CreateStore(checkpoint);
        var networks = new Networks(checkpoint, AttentionKind.Matching);
        var key = new DenoiseKey(64, 64, 4, 2, 4, Deep: DeepFeatures.Out);
        using var unet = new UNetGraphs(networks, backend, weights, key);
        using var table = backend.Allocate(4 * 2 * networks.ControlFloats(64, 64) * sizeof(float));
        table.Write(Floats(3, (int)(table.Bytes / sizeof(float))));
        var scheduler = new EulerScheduler(new SchedulerSettings(0.002, 700), 4);
        var latents = Floats(4, 2 * 8 * 8 * 4);
        foreach (var graphs in unet.All)
        {
            graphs.Bind(Networks.ControlTable, table, 0);
            graphs.Write(Networks.Context, Floats(5, (int)(graphs[Networks.Context].Bytes / sizeof(float))));
            graphs.Write(Networks.ImageLatents, Floats(6, 8 * 8 * 4));
            graphs.Write(Networks.Timesteps, scheduler.Timesteps);
            graphs.Write(Networks.AddedIds, EditPipeline.AddedIds);
            graphs.Write(Networks.FrameIndex, [0, 1]);
            graphs.Write(Networks.Scalars, scheduler.StepTable(3, GuidanceDecay.InverseSquare));
            graphs.WriteIfRead(Networks.ControlScales, [0.8f, 0.8f]);
            graphs.Prologue.Run();
        }

        var whole = Step(unet.Whole, 1);
        Assert.Equal(whole, Step(unet.AroundDeep!, 1));
        _ = Step(unet.Whole, 2);
        var other = Step(unet.AroundDeep!, 1);
        Assert.NotEqual(whole, other);

        float[] Step(BoundGraphs graphs, int step)
        {
            graphs.Write(Networks.Latents, latents);
            graphs.Write(Networks.Step, [step]);
            graphs.WriteIfRead(Networks.ControlRow, [step]);
            graphs.Step.Run();
            var next = new float[latents.Length];
            graphs.Read(Networks.Latents, next);
            return next;
        }
    }

    [Theory]
    [InlineData(1, 4)]
    [InlineData(2, 2)]
    [InlineData(3, 2)]
    [InlineData(4, 1)]
    [InlineData(1000, 1)]
    public void Deep_features_are_computed_as_often_as_asked(int every, int whole)
    {
        using var painter = Open();
        var plain = painter.Edit(s_picture, s_sketch, s_four);
        var least = Flops(painter.Edit(s_picture, s_sketch, s_four with { RefreshDeepFeaturesEvery = 1000 }));
        var around = (least - (Flops(plain) / 4)) / 3;
        Assert.InRange(around / (Flops(plain) / 4), 0.1, 0.9);
        using var session = painter.Open(s_picture);
        foreach (var _ in new[] { 1, 2 })
        {
            var reused = session.Edit(s_sketch, s_four with { RefreshDeepFeaturesEvery = every });
            Assert.Equal((Flops(plain) / 4 * whole) + (around * (4 - whole)), Flops(reused), 1.0);
            var difference = Math.Sqrt(plain.Latents.Zip(reused.Latents, (a, b) => (double)(a - b) * (a - b)).Sum() / plain.Latents.Sum(a => (double)a * a));
            Assert.True(every == 1 ? difference == 0 : difference is > 0 and < 0.5, $"every {every}: {difference}");
        }
    }

    [Fact]
    public void The_light_half_begins_with_features_of_its_own()
    {
        using var painter = Open();
        var options = s_four with { SkipUnconditionalBelow = 1.6f };
        var (plain, reused) = (painter.Edit(s_picture, s_sketch, options), painter.Edit(s_picture, s_sketch, options with { RefreshDeepFeaturesEvery = 1000 }));
        var difference = plain.Latents.Zip(reused.Latents, (a, b) => (double)(a - b) * (a - b)).Sum() / plain.Latents.Sum(a => (double)a * a);
        Assert.InRange(Math.Sqrt(difference), 1e-12, 0.5);
        Assert.Equal(1000, EditMetadata.FromJson(reused.Metadata.ToJson()).Options.RefreshDeepFeaturesEvery);
    }

    [Fact]
    public void A_captured_step_is_computed_whole()
    {
        using var painter = Open();
        var options = s_four with { RefreshDeepFeaturesEvery = 4 };
        var captured = painter.Edit(s_picture, s_sketch, options with { Capture = MatchCapture.At(9, 3) });
        Assert.Equal(1, captured.Matches!.Heat(new System.Numerics.Vector2(10, 10)).ToArray().Sum(h => (double)h), 1e-5);
        Assert.True(Flops(captured) > Flops(painter.Edit(s_picture, s_sketch, options)));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(-1)]
    [InlineData(1001)]
    public void A_number_out_of_range_is_named(int every)
    {
        using var painter = Open();
        Assert.Equal(nameof(EditOptions.RefreshDeepFeaturesEvery), Assert.Throws<OptionException>(() => painter.Edit(s_picture, s_sketch, s_four with { RefreshDeepFeaturesEvery = every })).Option);
    }

    static double Flops(EditResult result) => result.Timings.Single(t => t.Stage == EditStage.Denoise).Flops;

    static Painter Open() => Painter.Load(new PainterOptions { Model = Repository.TinyModel, Threads = 2 });

    static float[] Floats(int seed, int count)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, count).Select(_ => (random.NextSingle() * 2) - 1)];
    }

    static PixelImage Noise(int seed)
    {
        var pixels = new byte[64 * 64 * 3];
        new Random(seed).NextBytes(pixels);
        return PixelImage.FromPixels(pixels, 64, 64, PixelFormat.Rgb24);
    }
}
