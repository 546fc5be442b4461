using System.Diagnostics;
using FramePainter.Imaging;
using FramePainter.Toy;

namespace FramePainter.EndToEnd;

/// <summary>What is heard of a toy edit while it runs, and how fast it can be ended.</summary>
public sealed class ProgressTests
{
    static readonly PixelImage s_source = ImageFile.Load(ToyModel.Samples[5].Source.Span).ToRgb();
    static readonly Signal s_sketch = Signal.Sketch(ImageFile.Load(ToyModel.Samples[5].Sketch.Span));
    static readonly EditOptions s_options = new() { Steps = 8, Seed = 3418, Draws = DrawPrecision.Float32 };

    [Fact]
    public void Previews_come_close_to_the_edit_and_do_not_touch_it()
    {
        using var painter = Painter.Load(new PainterOptions { Model = ToyModel.Folder, Threads = 2 });
        var plain = new List<EditProgress>();
        var expected = painter.Edit(s_source, s_sketch, s_options with { Progress = new Heard(plain.Add) });
        Assert.All(plain, p => Assert.Null(p.Preview));

        var seen = new List<EditProgress>();
        var result = painter.Edit(s_source, s_sketch, s_options with { Progress = new Heard(seen.Add), Preview = true });
        Assert.Equal(expected.Latents, result.Latents);
        Assert.False(result.Metadata.Options.Preview);
        var previews = seen.Where(p => p.Stage == EditStage.Denoise && p.Step > 0).Select(p => p.Preview!).ToList();
        Assert.Equal(8, previews.Count);

        // The last step's prediction is the edit itself: its preview must tell the edit apart from the source far better than a flat grey would.
        var (side, target) = (previews[7].Width, Shrunk(result.Frames[1], previews[7].Width));
        var error = MeanSquare(previews[7].Pixels, target);
        var flat = MeanSquare(Enumerable.Repeat((byte)target.Average(v => v), target.Length).ToArray(), target);
        Assert.Equal(result.LatentsShape[4], side);
        Assert.True(error < flat / 4, $"mean square error {error:f1}; a flat picture has {flat:f1}");
        Assert.True(MeanSquare(previews[7].Pixels, target) <= MeanSquare(previews[0].Pixels, target));
    }

    [Fact]
    public void The_time_left_is_told_from_the_first_step_on_and_falls_to_the_decoder_s()
    {
        using var painter = Painter.Load(new PainterOptions { Model = ToyModel.Folder, Threads = 2 });
        var heard = new List<EditProgress>();
        painter.Edit(s_source, s_sketch, s_options with { Progress = new Heard(heard.Add) });
        Assert.All(heard.Where(p => p.Stage < EditStage.Denoise || (p.Stage == EditStage.Denoise && p.Step == 0)), p => Assert.Null(p.Left));
        var steps = heard.Where(p => p.Stage == EditStage.Denoise && p.Step > 0).ToList();
        Assert.All(steps, p => Assert.True(p.Left > TimeSpan.Zero));
        Assert.Equal(steps[^1].Left, heard.Single(p => p.Stage == EditStage.Decode).Left);

        // Each step's share of what is left is the mean of the steps before it: the first one's tells seven more such steps.
        Assert.True(steps[0].Left > steps[^1].Left);
    }

    [Fact]
    public async Task Cancelling_answers_within_200_milliseconds()
    {
        using var painter = Painter.Load(new PainterOptions { Model = ToyModel.Folder, Threads = 2 });
        var random = new Random(8);
        var answers = new List<TimeSpan>();
        for (var trial = 0; trial < 15; trial++)
        {
            // Some way into a step, in the first half of the edit: there is always something left to cancel.
            using var cancel = new CancellationTokenSource();
            var (step, reached) = (random.Next(50), new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
            var progress = new Heard(p => _ = p.Step >= step && p.Stage == EditStage.Denoise && reached.TrySetResult());
            var edit = painter.EditAsync(s_source, s_sketch, s_options with { Steps = 100, Progress = progress }, cancel.Token);
            await reached.Task;
            await Task.Delay(random.Next(5), CancellationToken.None);
            var start = Stopwatch.GetTimestamp();
            await cancel.CancelAsync();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => edit);
            answers.Add(Stopwatch.GetElapsedTime(start));
        }

        // The promise is held by the median; a single answer may wait a second more for a core of a loaded machine.
        answers.Sort();
        Assert.True(answers[7] < TimeSpan.FromMilliseconds(200), $"median {answers[7]}");
        Assert.True(answers[^1] < TimeSpan.FromMilliseconds(1200), $"slowest {answers[^1]}");
    }

    static byte[] Shrunk(PixelImage image, int side)
    {
        var (factor, small) = (image.Width / side, new byte[side * side * 3]);
        for (var i = 0; i < small.Length; i++)
        {
            var (x, y, sum) = (i / 3 % side * factor, i / 3 / side * factor, 0);
            for (var part = 0; part < factor * factor; part++)
                sum += image.Pixels[((((y + (part / factor)) * image.Width) + x + (part % factor)) * 3) + (i % 3)];

            small[i] = (byte)(sum / (factor * factor));
        }

        return small;
    }

    static double MeanSquare(ReadOnlySpan<byte> a, ReadOnlySpan<byte> b)
    {
        var sum = 0.0;
        for (var i = 0; i < a.Length; i++)
            sum += (a[i] - b[i]) * (double)(a[i] - b[i]);

        return sum / a.Length;
    }

    sealed class Heard(Action<EditProgress> report) : IProgress<EditProgress>
    {
        public void Report(EditProgress value) => report(value);
    }
}
