using System.Diagnostics;
using System.Numerics;
using FramePainter.Core.Tests.Support;

namespace FramePainter.Core.Tests.Engine;

/// <summary>Signals as metadata keeps them.</summary>
[Collection(nameof(Alone))]
public sealed class SignalRecordTests
{
    static readonly PixelImage s_picture = Pictures.Random(70, 60, PixelFormat.Rgb24, 3);
    static readonly EditOptions s_one = new() { Steps = 1 };
    static readonly DragPoint s_drag = new(new(1, 2), new(30, 40));

    public static TheoryData<string> Kinds => [.. Signals().Keys];

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Every_signal_replays_to_the_same_bits(string kind)
    {
        using var painter = Painter.Load(new PainterOptions { Model = Repository.TinyModel, Threads = 2 });
        var result = painter.Edit(s_picture, Signals()[kind], s_one);
        var read = EditMetadata.FromJson(result.Metadata.ToJson());
        Assert.Equal(result.Metadata.ToJson(), read.ToJson());
        var replayed = painter.Replay(s_picture, read);
        Assert.Equal(result.Latents, replayed.Latents);
        Assert.True(result.Edited.Pixels.SequenceEqual(replayed.Edited.Pixels));
        Assert.Equal(read.ToJson(), replayed.Metadata.ToJson());
        Assert.Contains(replayed.Warnings, w => w.Kind == EditWarningKind.ReplayUnverified);
    }

    [Fact]
    public void Strokes_and_moves_are_kept_as_such()
    {
        var strokes = SignalRecord.Of(Signals()["strokes"]);
        Assert.Equal((SignalRecordKind.Strokes, (70, 60)), (strokes.Kind, strokes.StrokeSize));
        var move = SignalRecord.Of(Signals()["move"]);
        Assert.Equal((SignalRecordKind.Move, Matrix3x2.CreateTranslation(5.5f, -3)), (move.Kind, move.Transform));
        var many = new Stroke(Enumerable.Range(0, SignalRecord.MaxStrokePoints).Select(i => new Vector2(i % 60, i % 50)), 1);
        Assert.Equal(SignalRecordKind.Sketch, SignalRecord.Of(Signal.Sketch([many, many], 70, 60)).Kind);
    }

    /// <summary>A drawing of a minute on a picture of full size, kept in its three forms.</summary>
    [Fact]
    public void Signals_are_kept_compactly()
    {
        const int width = 1024, height = 576, points = 600;
        var strokes = Enumerable.Range(0, 10).Select(s => new Stroke(Enumerable.Range(0, points / 10).Select(p => new Vector2(100 + (80 * s) + (p % 7), 50 + (8 * p))), 4)).ToArray();
        var mask = new byte[width * height];
        for (var y = 100; y < 400; y++)
        {
            mask.AsSpan((y * width) + 200, 100 + (y / 2)).Fill(255);
        }

        var picture = Pictures.Constant(width, height, PixelFormat.Rgb24, 90);
        var drawn = Signal.Sketch(strokes, width, height);
        var sizes = new[] { drawn, Signal.Sketch(((SketchSignal)drawn).Strokes), Signal.Move(picture, PixelImage.FromPixels(mask, width, height, PixelFormat.Gray8), Matrix3x2.CreateTranslation(9, 9)) }
            .Select(s => Metadata(SignalRecord.Of(s)).ToJson().Length - Metadata(SignalRecord.None).ToJson().Length).ToArray();
        TestContext.Current.TestOutputHelper!.WriteLine($"strokes {sizes[0]}, sketch {sizes[1]}, move {sizes[2]} bytes");
        Assert.InRange(sizes[0], points, 12 * points);
        Assert.InRange(sizes[1], 100, width * height / 50);
        Assert.InRange(sizes[2], 100, width * height / 100);
    }

    [Theory]
    [InlineData("\"Strokes\"", "\"Scribbles\"")]
    [InlineData("\"strokes\":[[", "\"strokes\":[[],[")]
    [InlineData("\"strokes\":[[2.5,", "\"strokes\":[[0,")]
    [InlineData("\"strokes\":[[2.5,", "\"strokes\":[[1,2.5,")]
    [InlineData("\"strokes\":[[2.5,", "\"strokes\":[[1e39,")]
    public void Damaged_strokes_are_refused(string find, string replacement) => Refused(Text("strokes"), find, replacement);

    [Theory]
    [InlineData("\"kind\":\"Sketch\",\"width\":70", "\"kind\":\"Sketch\",\"width\":71")]
    [InlineData("\"kind\":\"Sketch\",\"width\":70", "\"kind\":\"Sketch\",\"width\":69")]
    [InlineData("\"kind\":\"Sketch\",\"width\":70,\"height\":60", "\"kind\":\"Sketch\",\"width\":16384,\"height\":16384")]
    [InlineData("\"kind\":\"Sketch\",\"width\":70", "\"kind\":\"Sketch\",\"width\":-1")]
    [InlineData("\"format\":\"Gray8\"", "\"format\":\"Rgba32\"")]
    [InlineData("\"format\":\"Gray8\"", "\"format\":\"9\"")]
    [InlineData("\"pixels\":\"", "\"pixels\":\"!")]
    [InlineData("\"pixels\":\"", "\"pixels\":\"/////")]
    [InlineData("\"kind\":\"Sketch\"", "\"kind\":\"Move\"")]
    public void Damaged_pictures_are_refused(string find, string replacement) => Refused(Text("gray sketch"), find, replacement);

    [Fact]
    public void A_replay_is_held_to_the_limits_before_anything_is_drawn()
    {
        using var painter = Painter.Load(new PainterOptions { Model = Repository.TinyModel, Threads = 2, Limits = new EditLimits { PicturePixels = 70 * 60, Strokes = 2, StrokePoints = 3 } });
        var dot = new Stroke([new(1, 1)], 32768);
        Refused<ImageException>(SignalRecord.OfStrokes([dot], 16384, 16384), nameof(EditLimits.PicturePixels));
        Refused<SignalException>(SignalRecord.OfStrokes([dot, dot, dot], 70, 60), nameof(EditLimits.Strokes));
        Refused<SignalException>(SignalRecord.OfStrokes([new Stroke([new(1, 1), new(2, 2), new(3, 3), new(4, 4)], 1)], 70, 60), nameof(EditLimits.StrokePoints));
        Refused<ImageException>(SignalRecord.OfPicture(SignalRecordKind.Sketch, Pictures.Constant(71, 60, PixelFormat.Gray8, 9)), nameof(EditLimits.PicturePixels));
        Assert.NotNull(painter.Replay(s_picture, Metadata(SignalRecord.OfStrokes([dot, dot], 70, 60)) with { Options = s_one }));

        void Refused<T>(SignalRecord record, string limit)
            where T : FramePainterException
        {
            var before = GC.GetAllocatedBytesForCurrentThread();
            Assert.Contains($"EditLimits.{limit}", Assert.Throws<T>(() => painter.Replay(s_picture, Metadata(record))).Message, StringComparison.Ordinal);
            Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 1 << 20);
        }
    }

    /// <summary>A few kilobytes of text can ask for hours of drawing: wide strokes, each of whose parts covers the whole canvas.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_replay_that_draws_for_long_can_be_cancelled(bool moves)
    {
        var picture = Pictures.Constant(2048, 2048, PixelFormat.Rgb24, 90);
        var wide = new Stroke(Enumerable.Range(0, 2000).Select(i => new Vector2(i % 2 == 0 ? -2000 : 2000, -8000)), 32768);
        var record = moves ? SignalRecord.OfMove(picture, Matrix3x2.CreateScale(16)) : SignalRecord.OfStrokes([wide], 2048, 2048);
        using var painter = Painter.Load(new PainterOptions { Model = Repository.TinyModel, Threads = 2 });
        using var cancel = new CancellationTokenSource(TimeSpan.FromSeconds(1));
        var clock = Stopwatch.StartNew();
        Assert.ThrowsAny<OperationCanceledException>(() => painter.Replay(picture, Metadata(record) with { Width = 2048, Height = 2048 }, cancel: cancel.Token));
        Assert.InRange(clock.Elapsed, TimeSpan.Zero, TimeSpan.FromSeconds(6));
    }

    [Fact]
    public void A_replay_warns_of_another_algorithm_and_not_of_other_threads()
    {
        var options = new PainterOptions { Model = Repository.TinyModel, Device = Device.Cpu, Threads = 1, HashModel = true };
        using var painter = Painter.Load(options);
        using var threads = Painter.Load(options with { Threads = 2 });
        using var direct = Painter.Load(options with { Winograd = false });
        var metadata = EditMetadata.FromJson(painter.Edit(s_picture, Signals()["strokes"], s_one).Metadata.ToJson());
        Assert.Empty(threads.Replay(s_picture, metadata).Warnings);
        var warning = Assert.Single(direct.Replay(s_picture, metadata).Warnings);
        Assert.Equal(EditWarningKind.ReplayUnverified, warning.Kind);
        Assert.Contains("without Winograd", warning.Message, StringComparison.Ordinal);
        Assert.Single(painter.Replay(s_picture, metadata with { Device = direct.Device }).Warnings);
    }

    [Fact]
    public void Without_its_signal_an_edit_cannot_be_made_again()
    {
        var metadata = EditMetadata.FromJson(Text("strokes"));
        Assert.Throws<MetadataException>(() => (metadata with { Record = null }).ToSignal(s_picture));
        Assert.Throws<MetadataException>(() => (metadata with { Record = SignalRecord.None }).ToSignal(s_picture));
    }

    static void Refused(string good, string find, string replacement)
    {
        Assert.NotNull(EditMetadata.FromJson(good));
        var text = good.Replace(find, replacement, StringComparison.Ordinal);
        Assert.NotEqual(good, text);
        Assert.Throws<MetadataException>(() => EditMetadata.FromJson(text));
    }

    static string Text(string kind) => Metadata(SignalRecord.Of(Signals()[kind])).ToJson();

    static EditMetadata Metadata(SignalRecord record) => new()
    {
        Version = "0.1.0", Options = EditOptions.Default, Attention = AttentionKind.Matching, Width = 70, Height = 60, Device = "d", Signal = "s", Record = record,
    };

    static Dictionary<string, Signal> Signals()
    {
        var mask = new byte[70 * 60];
        mask.AsSpan(1000, 900).Fill(255);
        return new Dictionary<string, Signal>(StringComparer.Ordinal)
        {
            ["strokes"] = Signal.Sketch([new Stroke([new(1.1f, 2), new(60, 1f / 3)], 2.5f), new Stroke([new(33, 44)], 1e-3f + 4)], 70, 60),
            ["gray sketch"] = Signal.Sketch(Pictures.Random(70, 60, PixelFormat.Gray8, 4)),
            ["colour sketch"] = Signal.Sketch(Pictures.Random(140, 120, PixelFormat.Rgba32, 5)),
            ["coarse"] = Signal.Coarse(Pictures.Random(70, 60, PixelFormat.Rgb24, 6)),
            ["move"] = Signal.Move(s_picture, PixelImage.FromPixels(mask, 70, 60, PixelFormat.Gray8), Matrix3x2.CreateTranslation(5.5f, -3)),
            ["points"] = Signal.Points([s_drag]),
            ["sketch and points"] = Signal.Combine(Signal.Sketch(Pictures.Random(70, 60, PixelFormat.Gray8, 4)), Signal.Points([s_drag])),
        };
    }
}
