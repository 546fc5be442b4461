using FramePainter.Core.Tests.Support;
using FramePainter.Tensors;

namespace FramePainter.Core.Tests.Engine;

/// <summary>What happens where the ends of edits, sessions and painters meet: docs/reliability.md, "Soak and races".</summary>
[Collection(nameof(Alone))]
public sealed class LifetimeTests
{
    static readonly PixelImage s_picture = Pictures.Random(64, 64, PixelFormat.Rgb24, 3);
    static readonly Signal s_sketch = Signal.Sketch(Pictures.Random(64, 64, PixelFormat.Rgb24, 4));
    static readonly EditOptions s_two = new() { Steps = 2 };

    static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Edits_begun_while_the_painter_is_disposed_fail_at_once_and_the_one_that_runs_ends_whole()
    {
        var before = NativeBuffer.LiveBytes;
        var painter = Open();
        var whole = painter.Edit(s_picture, s_sketch, s_two);
        var session = painter.Open(s_picture);
        using var begun = new ManualResetEventSlim();
        using var go = new ManualResetEventSlim();
        var running = painter.EditAsync(s_picture, s_sketch, s_two with { Progress = new Immediate(_ => { begun.Set(); go.Wait(Cancel); }) }, Cancel);
        begun.Wait(Cancel);
        var disposing = Task.Run(painter.Dispose, Cancel);
        while (!IsClosed(painter))
        {
            await Task.Delay(5, Cancel);
        }

        Assert.Throws<ObjectDisposedException>(() => painter.Edit(s_picture, s_sketch, s_two));
        Assert.Throws<ObjectDisposedException>(() => session.Edit(s_sketch, s_two));
        Assert.False(disposing.IsCompleted);
        go.Set();
        await disposing;
        var result = await running;
        Assert.Equal(whole.Latents, result.Latents);
        Assert.True(whole.Edited.Pixels.SequenceEqual(result.Edited.Pixels));
        Assert.Equal(before, NativeBuffer.LiveBytes);
    }

    [Fact]
    public void Cancelling_twice_and_after_the_end_is_cancelling_once()
    {
        using var painter = Open();
        using var cancel = new CancellationTokenSource();
        var twice = new Immediate(p =>
        {
            if (p.Step == 1)
            {
                cancel.Cancel();
                cancel.Cancel();
            }
        });
        Assert.ThrowsAny<OperationCanceledException>(() => painter.Edit(s_picture, s_sketch, s_two with { Progress = twice }, cancel.Token));
        cancel.Cancel();
        using var late = new CancellationTokenSource();
        var result = painter.Edit(s_picture, s_sketch, s_two, late.Token);
        late.Cancel();
        Assert.Equal(result.Latents, painter.Edit(s_picture, s_sketch, s_two).Latents);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_callback_that_throws_at_any_report_ends_the_edit_and_leaves_no_memory(bool inSession)
    {
        using var painter = Open();
        var whole = painter.Edit(s_picture, s_sketch, s_two);
        var reports = 0;
        painter.Edit(s_picture, s_sketch, s_two with { Progress = new Immediate(_ => reports++) });
        var level = NativeBuffer.LiveBytes;
        for (var at = 0; at < reports; at++)
        {
            var left = at;
            var options = s_two with { Progress = new Immediate(_ => { if (left-- == 0) { throw new FormatException("from the callback"); } }) };
            using var session = inSession ? painter.Open(s_picture) : null;
            Assert.Throws<FormatException>(() => session is null ? painter.Edit(s_picture, s_sketch, options) : session.Edit(s_sketch, options));
            if (session is not null)
            {
                Assert.Empty(session.History);
                Assert.Equal(whole.Latents, session.Edit(s_sketch, s_two).Latents);
            }
        }

        Assert.Equal(whole.Latents, painter.Edit(s_picture, s_sketch, s_two).Latents);
        Assert.Equal(level, NativeBuffer.LiveBytes);
    }

    [Fact]
    public void A_callback_may_edit_with_its_painter_and_both_edits_are_what_they_are_alone()
    {
        using var painter = Open();
        var other = s_two with { Seed = 8, Steps = 1 };
        var (outer, inner) = (painter.Edit(s_picture, s_sketch, s_two), painter.Edit(s_picture, s_sketch, other));
        var within = new List<EditResult>();
        var result = painter.Edit(s_picture, s_sketch, s_two with { Progress = new Immediate(_ => within.Add(painter.Edit(s_picture, s_sketch, other))) });
        Assert.Equal(outer.Latents, result.Latents);
        Assert.NotEmpty(within);
        Assert.All(within, w => Assert.Equal(inner.Latents, w.Latents));
    }

    [Fact]
    public void A_callback_cannot_dispose_the_painter_from_under_its_edit()
    {
        using var painter = Open();
        using var session = painter.Open(s_picture);
        var refused = 0;
        var options = s_two with { Progress = new Immediate(_ => { Assert.Throws<InvalidOperationException>(painter.Dispose); refused++; }) };
        Assert.NotNull(painter.Edit(s_picture, s_sketch, options));
        Assert.NotNull(session.Edit(s_sketch, options));
        Assert.True(refused > 2);
        Assert.NotNull(painter.Edit(s_picture, s_sketch, s_two));
    }

    [Fact]
    public async Task Disposing_painter_and_sessions_from_several_threads_gives_everything_back_once()
    {
        var before = NativeBuffer.LiveBytes;
        for (var round = 0; round < 5; round++)
        {
            var painter = Open();
            var sessions = Enumerable.Range(0, 4).Select(_ => painter.Open(s_picture)).ToArray();
            sessions[0].Edit(s_sketch, s_two);
            await Task.WhenAll([.. sessions.Select(s => Task.Run(s.Dispose, Cancel)), .. Enumerable.Range(0, 3).Select(_ => Task.Run(painter.Dispose, Cancel))]);
            painter.Dispose();
        }

        Assert.Equal(before, NativeBuffer.LiveBytes);
    }

    [Fact]
    public void A_session_after_its_painter_can_still_be_read_but_not_edited()
    {
        var painter = Open();
        var session = painter.Open(s_picture);
        var result = session.Edit(s_sketch, s_two);
        painter.Dispose();
        Assert.Same(result, Assert.Single(session.History).Result);
        Assert.Same(s_picture, session.Picture);
        Assert.Throws<ObjectDisposedException>(() => session.Edit(s_sketch, s_two));
        Assert.Throws<ObjectDisposedException>(() => session.Continue(result));
        Assert.Null(session.Undo());
        session.Dispose();
        session.Dispose();
    }

    static bool IsClosed(Painter painter)
    {
        try
        {
            painter.Open(s_picture).Dispose();
            return false;
        }
        catch (ObjectDisposedException)
        {
            return true;
        }
    }

    static Painter Open() => Painter.Load(new PainterOptions { Model = Repository.TinyModel, Threads = 2 });

    /// <summary>Calls back on the reporting thread, at once.</summary>
    sealed class Immediate(Action<EditProgress> report) : IProgress<EditProgress>
    {
        public void Report(EditProgress value) => report(value);
    }
}
