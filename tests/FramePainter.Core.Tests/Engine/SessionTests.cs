using FramePainter.Backends.Cpu;
using FramePainter.Core.Tests.Support;
using FramePainter.Pipeline;
using FramePainter.Tensors;
using FramePainter.Weights;

namespace FramePainter.Core.Tests.Engine;

/// <summary>Several edits of one picture: faster than fresh ones, and the same.</summary>
[Collection(nameof(Alone))]
public sealed class SessionTests
{
    static readonly PixelImage s_picture = Pictures.Random(64, 64, PixelFormat.Rgb24, 3);
    static readonly Signal s_sketch = Signal.Sketch(Pictures.Random(64, 64, PixelFormat.Rgb24, 4));
    static readonly Signal s_points = Signal.Points([new(new(10, 10), new(40, 30)), new(new(50, 20), new(5, 60))]);
    static readonly EditOptions s_two = new() { Steps = 2 };

    [Fact]
    public void Every_edit_is_that_of_a_fresh_painter()
    {
        (Signal Signal, EditOptions Options)[] edits =
        [
            (s_sketch, s_two), (s_sketch, s_two), (s_sketch, s_two with { Seed = 7 }), (Signal.Coarse(s_picture), s_two), (s_sketch, s_two),
            (Signal.Combine(s_sketch, s_points), s_two), (s_points, s_two with { PointCapacity = 2 }), (s_sketch, s_two with { Size = (128, 64) }),
            (s_sketch, s_two with { Size = (128, 64), Fit = Fit.Pad }), (s_sketch, s_two with { Steps = 3, Guidance = 0.5f }), (s_sketch, s_two with { ControlScale = 0.1f }),
            (s_sketch, s_two with { Draws = DrawPrecision.Float32 }), (s_sketch, s_two),
        ];
        using var painter = Open();
        using var session = painter.Open(s_picture);
        foreach (var (signal, options) in edits)
        {
            using var fresh = Open();
            AssertSame(fresh.Edit(s_picture, signal, options), session.Edit(signal, options));
        }
    }

    [Fact]
    public void Later_edits_neither_describe_nor_encode_the_picture_again()
    {
        using var painter = Open();
        using var session = painter.Open(s_picture);
        var first = session.Edit(s_sketch, s_two);
        var second = session.Edit(s_sketch, s_two with { ControlScale = 1 });
        var other = session.Edit(s_sketch, s_two with { Seed = 5 });
        Assert.All(first.Timings.Where(t => t.Stage is EditStage.Describe or EditStage.Encode), t => Assert.True(t.Flops > 0));
        Assert.All(second.Timings.Where(t => t.Stage is EditStage.Describe or EditStage.Encode), t => Assert.Equal(0, t.Flops));
        Assert.Equal(0, other.Timings.Single(t => t.Stage == EditStage.Describe).Flops);
        Assert.True(other.Timings.Single(t => t.Stage == EditStage.Encode).Flops > 0);
        Assert.True(Spent(second, EditStage.Describe) + Spent(second, EditStage.Encode) < (Spent(first, EditStage.Describe) + Spent(first, EditStage.Encode)) / 2);
    }

    [Fact]
    public void Edits_that_fail_leave_the_memory_budget_as_it_really_is()
    {
        var (large, small) = (new EditOptions { Steps = 1, Size = (512, 512) }, new EditOptions { Steps = 1 });
        using var painter = Painter.Load(new PainterOptions { Model = Repository.TinyModel, Device = Device.Cpu, Threads = 2, MemoryBudget = RoomForOne(large) });
        var misshapen = Signal.Sketch(Pictures.Random(64, 32, PixelFormat.Rgb24, 4));
        using var other = painter.Open(s_picture);
        using (var session = painter.Open(s_picture))
        {
            // Refused signals change nothing: what the edit before them left is held yet.
            session.Edit(s_sketch, large);
            Assert.Throws<SignalException>(() => session.Edit(misshapen, small));
            Assert.Throws<SignalException>(() => session.Edit(s_points, small with { PointCapacity = 1 }));
            Assert.Contains("other edits and open sessions hold", Assert.Throws<PlanException>(() => other.Edit(s_sketch, large)).Message, StringComparison.Ordinal);

            // One that fails later has given the old plans back, and made none yet.
            Assert.Throws<FormatException>(() => session.Edit(s_sketch, small with { Progress = new Failing() }));
            other.Edit(s_sketch, large);
            Assert.Throws<PlanException>(() => session.Edit(s_sketch, large));
        }

        other.Dispose();
        using var refused = painter.Open(s_picture);
        Assert.Throws<SignalException>(() => refused.Edit(misshapen, large));
        Assert.Throws<FormatException>(() => refused.Edit(s_sketch, large with { Progress = new Failing() }));
        using var last = painter.Open(s_picture);
        Assert.NotNull(last.Edit(s_sketch, large));
    }

    [Fact]
    public void Variants_are_edits_by_seed()
    {
        using var painter = Open();
        using var session = painter.Open(s_picture);
        var variants = session.EditVariants(s_sketch, [1, 2, 1], s_two with { Seed = 99 });
        AssertSame(variants[0], variants[2]);
        AssertSame(painter.Edit(s_picture, s_sketch, s_two with { Seed = 1 }), variants[0]);
        AssertSame(painter.Edit(s_picture, s_sketch, s_two with { Seed = 2 }), variants[1]);
        Assert.NotEqual(variants[0].Latents, variants[1].Latents);
        Assert.Equal([1, 2, 1], session.History.Select(e => e.Options.Seed));
        Assert.Throws<OptionException>(() => session.EditVariants(s_sketch, []));
    }

    [Fact]
    public void History_holds_what_was_not_undone()
    {
        using var painter = Open();
        using var session = painter.Open(s_picture);
        Assert.Throws<InvalidOperationException>(session.Undo);
        var results = new[] { session.Edit(s_sketch, s_two with { Progress = new Progress<EditProgress>() }), session.Edit(s_points, s_two) };
        Assert.Equal(results, session.History.Select(e => e.Result));
        Assert.Equal([s_sketch, s_points], session.History.Select(e => e.Signal));
        Assert.Equal(s_two, session.History[0].Options);
        Assert.Same(results[0], session.Undo()!.Result);
        Assert.Null(session.Undo());
        Assert.Empty(session.History);
    }

    [Fact]
    public void Edits_build_on_each_other()
    {
        using var painter = Open();
        using var session = painter.Open(s_picture);
        var first = session.Edit(s_sketch, s_two);
        using var next = session.Continue(first);
        Assert.Same(first.Edited, next.Picture);
        AssertSame(painter.Edit(first.Edited, s_sketch, s_two), next.Edit(s_sketch, s_two));
        Assert.Single(session.History);
    }

    [Fact]
    public void A_cancelled_edit_leaves_the_session_as_it_was()
    {
        using var painter = Open();
        using var session = painter.Open(s_picture);
        foreach (var stage in Enum.GetValues<EditStage>())
        {
            using var cancel = new CancellationTokenSource();
            var options = s_two with { Progress = new Immediate(p => { if (p.Stage == stage) { cancel.Cancel(); } }) };
            Assert.ThrowsAny<OperationCanceledException>(() => session.Edit(s_sketch, options, cancel.Token));
        }

        Assert.Empty(session.History);
        AssertSame(painter.Edit(s_picture, s_sketch, s_two), session.Edit(s_sketch, s_two));
    }

    [Fact]
    public async Task Edits_from_several_threads_wait_for_one_another()
    {
        using var painter = Open();
        using var session = painter.Open(s_picture);
        var together = await Task.WhenAll(Enumerable.Range(0, 4).Select(seed => session.EditAsync(s_sketch, s_two with { Seed = seed })));
        for (var seed = 0; seed < 4; seed++)
        {
            AssertSame(painter.Edit(s_picture, s_sketch, s_two with { Seed = seed }), together[seed]);
        }
    }

    [Fact]
    public void Memory_goes_with_the_session_or_the_painter()
    {
        var before = NativeBuffer.LiveBytes;
        using (var painter = Open())
        {
            painter.Edit(s_picture, s_sketch, s_two);
            var idle = NativeBuffer.LiveBytes;
            var session = painter.Open(s_picture);
            session.Edit(s_sketch, s_two);
            Assert.True(NativeBuffer.LiveBytes > idle);
            session.Dispose();
            session.Dispose();
            Assert.Equal(idle, NativeBuffer.LiveBytes);
            Assert.Throws<ObjectDisposedException>(() => session.Edit(s_sketch, s_two));
            Assert.Single(session.History);
            painter.Open(s_picture).Edit(s_sketch, s_two);
        }

        Assert.Equal(before, NativeBuffer.LiveBytes);
    }

    [Fact]
    public void A_single_edit_gives_the_denoisers_memory_back_before_it_decodes()
    {
        using var painter = Open();
        painter.Edit(s_picture, s_sketch, s_two);
        var idle = NativeBuffer.LiveBytes;
        var live = new Dictionary<EditStage, long>();
        var options = s_two with { Progress = new Immediate(p => live[p.Stage] = NativeBuffer.LiveBytes) };
        painter.Edit(s_picture, s_sketch, options);
        Assert.True(live[EditStage.Denoise] > idle);
        Assert.Equal(idle, live[EditStage.Decode]);
        using var session = painter.Open(s_picture);
        session.Edit(s_sketch, options);
        Assert.Equal(live[EditStage.Denoise], live[EditStage.Decode]);
    }

    [Fact]
    public void A_disposed_painter_ends_its_sessions()
    {
        var painter = Open();
        var session = painter.Open(s_picture);
        painter.Dispose();
        Assert.Throws<ObjectDisposedException>(() => session.Edit(s_sketch, s_two));
        Assert.Throws<ObjectDisposedException>(() => painter.Open(s_picture));
        session.Dispose();
    }

    [Fact]
    public void A_callback_cannot_pull_the_session_from_under_its_edit()
    {
        using var painter = Open();
        using var session = painter.Open(s_picture);
        Assert.Throws<InvalidOperationException>(() => session.Edit(s_sketch, s_two with { Progress = new Immediate(_ => session.Dispose()) }));
        Assert.Throws<InvalidOperationException>(() => session.Edit(s_sketch, s_two with { Progress = new Immediate(_ => session.Edit(s_sketch, s_two)) }));
        Assert.NotNull(session.Edit(s_sketch, s_two));
    }

    [Fact]
    public void Points_change_the_edit_and_carry_their_warning()
    {
        using var painter = Open();
        var without = painter.Edit(s_picture, s_sketch, s_two);
        var with = painter.Edit(s_picture, Signal.Combine(s_sketch, s_points), s_two);
        Assert.NotEqual(without.Latents, with.Latents);
        Assert.Empty(without.Warnings);
        Assert.Equal(EditWarningKind.PointsUntrained, Assert.Single(with.Warnings).Kind);
        AssertSame(with, painter.Edit(s_picture, Signal.Combine(s_sketch, s_points), s_two with { PointCapacity = 2 }));
        Assert.Throws<OptionException>(() => painter.Edit(s_picture, s_points, s_two with { PointCapacity = 0 }));
    }

    static TimeSpan Spent(EditResult result, EditStage stage) => result.Timings.Single(t => t.Stage == stage).Duration;

    /// <summary>A budget that one session's edits fit, and not those of two.</summary>
    static long RoomForOne(EditOptions options)
    {
        using var checkpoint = Checkpoint.Open(Repository.TinyModel);
        using var backend = new CpuBackend(2);
        var networks = new Networks(checkpoint, AttentionKind.Matching);
        var size = SizePlan.Create(64, 64, options.Size, networks.Grid, options.Fit);
        var needs = new Estimator(checkpoint, networks, backend, 2).Measure(size, options, points: false, keeps: true)!;
        return Painter.ProgramBytes() + needs.NeededBytes + ((needs.NeededBytes - needs.Need.Weights) / 2);
    }

    static Painter Open() => Painter.Load(new PainterOptions { Model = Repository.TinyModel, Threads = 2 });

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

    /// <summary>Fails at the first report.</summary>
    sealed class Failing : IProgress<EditProgress>
    {
        public void Report(EditProgress value) => throw new FormatException("from the callback");
    }
}
