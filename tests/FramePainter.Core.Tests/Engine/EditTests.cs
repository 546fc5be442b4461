using FramePainter.Backends.Cpu;
using FramePainter.Core.Tests.Support;
using FramePainter.Pipeline;
using FramePainter.Tensors;
using FramePainter.Weights;

namespace FramePainter.Core.Tests.Engine;

/// <summary>Tests that look at what the whole process holds run alone.</summary>
[CollectionDefinition(nameof(Alone), DisableParallelization = true)]
public sealed class Alone;

/// <summary>Whole edits with the small random model: what holds for every edit, whatever it shows.</summary>
[Collection(nameof(Alone))]
public sealed class EditTests
{
    static readonly PixelImage s_picture = Noise(64, 64, 3);
    static readonly Signal s_sketch = Signal.Sketch(Noise(64, 64, 4));
    static readonly EditOptions s_two = new() { Steps = 2 };

    [Fact]
    public void The_same_seed_gives_the_same_bits_for_any_number_of_threads_and_for_every_edit()
    {
        var runs = new List<EditResult>();
        foreach (var threads in new[] { 1, 2, 3 })
        {
            using var painter = Open(threads);
            runs.Add(painter.Edit(s_picture, s_sketch, s_two));
            runs.Add(painter.Edit(s_picture, s_sketch, s_two));
        }

        Assert.All(runs, run => AssertSame(runs[0], run));
        using var other = Open(2);
        Assert.NotEqual(runs[0].Latents, other.Edit(s_picture, s_sketch, s_two with { Seed = 1 }).Latents);
    }

    [Fact]
    public async Task Two_edits_at_once_give_what_they_give_one_after_the_other()
    {
        using var painter = Open(2);
        var options = new[] { s_two, s_two with { Seed = 7 }, s_two with { Steps = 3, Guidance = 1 }, s_two with { Guidance = 0.5f } };
        var alone = options.Select(o => painter.Edit(s_picture, s_sketch, o)).ToArray();
        var together = await Task.WhenAll(options.Select(o => painter.EditAsync(s_picture, s_sketch, o)));
        for (var i = 0; i < alone.Length; i++)
        {
            AssertSame(alone[i], together[i]);
        }
    }

    [Fact]
    public void Another_signal_after_the_first_edit_gives_what_a_fresh_painter_gives()
    {
        // The second edit finds the black frame's control features ready and must not find the first signal's.
        var coarse = Signal.Coarse(Noise(64, 64, 5));
        using var used = Open(2);
        used.Edit(s_picture, s_sketch, s_two);
        using var fresh = Open(2);
        AssertSame(fresh.Edit(s_picture, coarse, s_two), used.Edit(s_picture, coarse, s_two));
    }

    [Fact]
    public void Memory_is_given_back()
    {
        var before = NativeBuffer.LiveBytes;
        using (var painter = Open(2))
        {
            painter.Edit(s_picture, s_sketch, s_two);
            Assert.True(NativeBuffer.LiveBytes > before);
            var between = NativeBuffer.LiveBytes;
            painter.Edit(s_picture, s_sketch, s_two);
            Assert.Equal(between, NativeBuffer.LiveBytes);
        }

        Assert.Equal(before, NativeBuffer.LiveBytes);
    }

    [Fact]
    public void A_step_allocates_nothing()
    {
        using var checkpoint = Checkpoint.Open(Repository.TinyModel);
        using var backend = new CpuBackend(1);
        using var weights = backend.CreateStore(checkpoint);
        var networks = new Networks(checkpoint, AttentionKind.Matching);
        using var tables = new ControlTables(backend);
        var scheduler = new EulerScheduler(new SchedulerSettings(0.002, 700), 4);
        using var denoiser = new Denoiser(networks, tables, backend, weights, new DenoiseKey(64, 64, 4, 2, 4, Points: 1), scheduler);
        denoiser.Prepare(new float[40], new float[8 * 8 * 4], new PreparedSignal(Noise(64, 64, 6), [0, 0, 0.5f, 0.5f], []), s_two with { Steps = 4 }, default);
        denoiser.RunStep(0, default);
        var step = 0;
        Assert.Equal(0, Allocation.Least(() => denoiser.RunStep(++step, default), times: 3));
    }

    [Fact]
    public void A_cancelled_edit_leaves_the_painter_usable()
    {
        using var painter = Open(2);
        var whole = painter.Edit(s_picture, s_sketch, s_two);
        Assert.Throws<OperationCanceledException>(() => painter.Edit(s_picture, s_sketch, s_two, new CancellationToken(canceled: true)));
        foreach (var stage in Enum.GetValues<EditStage>())
        {
            using var cancel = new CancellationTokenSource();
            var options = s_two with { Progress = new Immediate(p => { if (p.Stage == stage) { cancel.Cancel(); } }) };
            Assert.ThrowsAny<OperationCanceledException>(() => painter.Edit(s_picture, s_sketch, options, cancel.Token));
        }

        AssertSame(whole, painter.Edit(s_picture, s_sketch, s_two));
    }

    [Fact]
    public void A_progress_callback_that_throws_ends_the_edit_and_no_more()
    {
        using var painter = Open(2);
        var options = s_two with { Progress = new Immediate(p => { if (p.Step == 1) { throw new InvalidOperationException("from the callback"); } }) };
        Assert.Equal("from the callback", Assert.Throws<InvalidOperationException>(() => painter.Edit(s_picture, s_sketch, options)).Message);
        Assert.NotNull(painter.Edit(s_picture, s_sketch, s_two).Edited);
    }

    [Fact]
    public void Progress_goes_through_all_stages_and_steps()
    {
        using var painter = Open(2);
        var seen = new List<EditProgress>();
        var result = painter.Edit(s_picture, s_sketch, s_two with { Progress = new Immediate(seen.Add) });
        Assert.Equal(Enum.GetValues<EditStage>(), seen.Select(p => p.Stage).Distinct());
        Assert.Equal([0, 1, 2], seen.Where(p => p.Stage == EditStage.Denoise).Select(p => p.Step));
        Assert.Equal(Enum.GetValues<EditStage>(), result.Timings.Select(t => t.Stage));
        Assert.Equal(seen.OrderBy(p => p.Elapsed), seen);
    }

    [Theory]
    [InlineData(50, 70, Fit.Stretch)]
    [InlineData(131, 97, Fit.Pad)]
    [InlineData(3, 200, Fit.Pad)]
    public void Any_picture_size_comes_back_in_its_own_size(int width, int height, Fit fit)
    {
        using var painter = Open(2);
        var result = painter.Edit(Noise(width, height, 8), Signal.Sketch(Noise(width, height, 9)), new EditOptions { Steps = 1, Fit = fit, Size = (64, 64) });
        Assert.Equal((width, height), (result.Edited.Width, result.Edited.Height));
        Assert.Equal((width, height), (result.Source.Width, result.Source.Height));
        Assert.Equal(new Shape(1, 2, 4, 8, 8), result.LatentsShape);
    }

    [Fact]
    public void Without_guidance_the_conditional_half_alone_is_computed()
    {
        // With weight 1 the unconditional half cancels: the same latents up to rounding.
        using var painter = Open(2);
        var both = painter.Edit(s_picture, s_sketch, s_two with { Guidance = 1, Decay = GuidanceDecay.None });
        var one = painter.Edit(s_picture, s_sketch, s_two with { Guidance = 0.99f, Decay = GuidanceDecay.None });
        var difference = both.Latents.Zip(one.Latents, (a, b) => (double)(a - b) * (a - b)).Sum();
        Assert.True(Math.Sqrt(difference / both.Latents.Sum(a => (double)a * a)) < 1e-4);
    }

    [Theory]
    [InlineData(nameof(EditOptions.Steps))]
    [InlineData(nameof(EditOptions.ControlScale))]
    [InlineData(nameof(EditOptions.Guidance))]
    [InlineData(nameof(EditOptions.Size))]
    [InlineData(nameof(EditOptions.SkipUnconditionalBelow))]
    [InlineData(nameof(EditOptions.Decay))]
    [InlineData(nameof(EditOptions.Fit))]
    [InlineData(nameof(EditOptions.Draws))]
    public void An_option_out_of_range_is_named(string option)
    {
        using var painter = Open(1);
        var options = option switch
        {
            nameof(EditOptions.Steps) => s_two with { Steps = 0 },
            nameof(EditOptions.ControlScale) => s_two with { ControlScale = float.NaN },
            nameof(EditOptions.Guidance) => s_two with { Guidance = float.PositiveInfinity },
            nameof(EditOptions.SkipUnconditionalBelow) => s_two with { SkipUnconditionalBelow = -1 },
            nameof(EditOptions.Decay) => s_two with { Decay = (GuidanceDecay)9 },
            nameof(EditOptions.Fit) => s_two with { Fit = (Fit)9 },
            nameof(EditOptions.Draws) => s_two with { Draws = (DrawPrecision)9 },
            _ => s_two with { Size = (100, 64) },
        };
        var error = Assert.Throws<OptionException>(() => painter.Edit(s_picture, s_sketch, options));
        Assert.Equal(option, error.Option);
        Assert.Contains(option == nameof(EditOptions.Size) ? "64" : option, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Signals_and_threads_that_do_not_fit_are_named()
    {
        using var painter = Open(1);
        var error = Assert.Throws<SignalException>(() => painter.Edit(s_picture, Signal.Sketch(Noise(64, 20, 1))));
        Assert.Contains("64×20", error.Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentNullException>(() => painter.Edit(null!, s_sketch));
        Assert.Throws<ArgumentNullException>(() => painter.Edit(s_picture, null!));
        Assert.Throws<OptionException>(() => Painter.Load(new PainterOptions { Model = Repository.TinyModel, Threads = 0 }));
        Assert.Throws<OptionException>(() => Painter.Load(new PainterOptions { Model = Repository.TinyModel, Attention = (AttentionKind)7 }));
        Assert.Throws<CheckpointException>(() => Painter.Load(new PainterOptions { Model = Path.Combine(Repository.Root, "docs") }));
    }

    [Fact]
    public void A_disposed_painter_says_so()
    {
        var painter = Open(1);
        painter.Dispose();
        painter.Dispose();
        Assert.Throws<ObjectDisposedException>(() => painter.Edit(s_picture, s_sketch));
    }

    [Fact]
    public async Task Dispose_waits_for_an_edit_that_runs()
    {
        var painter = Open(2);
        using var begun = new ManualResetEventSlim();
        var edit = painter.EditAsync(s_picture, s_sketch, s_two with { Progress = new Immediate(_ => begun.Set()) });
        begun.Wait(TestContext.Current.CancellationToken);
        painter.Dispose();
        Assert.True(edit.IsCompleted || (await Task.WhenAny(edit, Task.Delay(1000, TestContext.Current.CancellationToken))) == edit);
        Assert.NotNull((await edit).Edited);
    }

    [Theory]
    [InlineData(AttentionKind.CrossFrame)]
    [InlineData(AttentionKind.Temporal)]
    public void Other_attention_kinds_give_other_edits(AttentionKind kind)
    {
        using var matching = Open(2);
        using var other = Painter.Load(new PainterOptions { Model = Repository.TinyModel, Threads = 2, Attention = kind });
        Assert.NotEqual(matching.Edit(s_picture, s_sketch, s_two).Latents, other.Edit(s_picture, s_sketch, s_two).Latents);
    }

    static Painter Open(int threads) => Painter.Load(new PainterOptions { Model = Repository.TinyModel, Threads = threads });

    static PixelImage Noise(int width, int height, int seed)
    {
        var pixels = new byte[width * height * 3];
        new Random(seed).NextBytes(pixels);
        return PixelImage.FromPixels(pixels, width, height, PixelFormat.Rgb24);
    }

    static void AssertSame(EditResult expected, EditResult actual)
    {
        Assert.Equal(expected.Latents, actual.Latents);
        Assert.True(expected.Edited.Pixels.SequenceEqual(actual.Edited.Pixels));
        Assert.True(expected.Source.Pixels.SequenceEqual(actual.Source.Pixels));
    }

    /// <summary>Calls back on the reporting thread, at once.</summary>
    sealed class Immediate(Action<EditProgress> report) : IProgress<EditProgress>
    {
        public void Report(EditProgress value) => report(value);
    }
}
