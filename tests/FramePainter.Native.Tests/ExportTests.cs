using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;
using FramePainter.Imaging;
using FramePainter.Toy;
using static FramePainter.Native.Tests.NativeCalls;

namespace FramePainter.Native.Tests;

/// <summary>The C functions inside a managed process: what they give, and what each mistake comes to.</summary>
public sealed unsafe class ExportTests : IDisposable
{
    const int Side = 64;

    [ThreadStatic]
    static nint s_painter;

    [ThreadStatic]
    static List<Status>? s_fromCallback;

    readonly nint _painter = Open();

    public void Dispose() => Free(_painter);

    [Theory]
    [InlineData(PixelFormat.Rgb24, 0)]
    [InlineData(PixelFormat.Bgra32, 260)]
    public void An_edit_is_the_managed_one(PixelFormat format, int stride)
    {
        var bytes = (stride == 0 ? Side * 3 : stride) * Side;
        var made = new byte[bytes];
        Assert.Equal(Status.Ok, Run(made, format, stride));
        var expected = new byte[bytes];
        Managed().CopyTo(expected, format, stride);
        Assert.Equal(expected, made);
    }

    [Fact]
    public void Without_options_the_defaults_hold_and_a_result_may_be_grey()
    {
        var (made, expected) = (new byte[Side * Side], new byte[Side * Side]);
        fixed (byte* pixels = Picture, strokes = Sketch, output = made)
        {
            var (image, sketch, result) = (Image(pixels), Image(strokes), Image(output) with { Format = (int)PixelFormat.Gray8 });
            var signal = SketchOf(&sketch);
            Assert.Equal(Status.Ok, Edit(_painter, &image, &signal, null, &result));
        }

        using var painter = Painter.Load(new PainterOptions { Model = ToyModel.Folder, Device = Device.Cpu });
        painter.Edit(ImageFile.Load(Sample.Source.Span), Signal.Sketch(ImageFile.Load(Sample.Sketch.Span))).Edited.CopyTo(expected, PixelFormat.Gray8, 0);
        Assert.Equal(expected, made);
    }

    [Fact]
    public void The_result_may_lie_over_the_picture()
    {
        var both = Picture.ToArray();
        fixed (byte* pixels = both, strokes = Sketch)
        {
            var (image, sketch) = (Image(pixels), Image(strokes));
            var (signal, options) = (SketchOf(&sketch), Steps(2));
            Assert.Equal(Status.Ok, Edit(_painter, &image, &signal, &options, &image));
        }

        Assert.Equal(Managed().ToRgb().Pixels.ToArray(), both);
    }

    [Fact]
    public void Coarse_edits_and_drags_are_read()
    {
        var drags = new NativeDrag[] { new() { SourceX = 20, SourceY = 21, TargetX = 40, TargetY = 30 } };
        var made = new byte[Picture.Length];
        fixed (byte* pixels = Picture, strokes = Sketch, output = made)
        fixed (NativeDrag* points = drags)
        {
            var (image, sketch, result) = (Image(pixels), Image(strokes), Image(output));
            var options = Steps(2);
            using var painter = Painter.Load(new PainterOptions { Model = ToyModel.Folder, Device = Device.Cpu });
            var (picture, drag) = (PixelImage.FromPixels(Picture, Side, Side, PixelFormat.Rgb24), Signal.Points([new DragPoint(new(20, 21), new(40, 30))]));
            var drawn = PixelImage.FromPixels(Sketch, Side, Side, PixelFormat.Rgb24);
            (NativeSignal Native, Signal Managed)[] cases =
            [
                (new NativeSignal { Coarse = &image }, Signal.Coarse(picture)),
                (new NativeSignal { Drags = points, DragCount = 1 }, drag),
                (new NativeSignal { Sketch = &sketch, Drags = points, DragCount = 1 }, Signal.Combine(Signal.Sketch(drawn), drag)),
            ];
            foreach (var (native, managed) in cases)
            {
                var signal = native;
                signal.Size = (uint)sizeof(NativeSignal);
                Assert.Equal(Status.Ok, Edit(_painter, &image, &signal, &options, &result));
                Assert.Equal(painter.Edit(picture, managed, new EditOptions { Steps = 2 }, TestContext.Current.CancellationToken).Edited.ToRgb().Pixels.ToArray(), made);
            }
        }
    }

    [Fact]
    public void Defaults_are_the_engines()
    {
        NativeEditOptions options;
        Assert.Equal(Status.Ok, DefaultOptions(&options));
        var standard = EditOptions.Default;
        Assert.Equal((standard.Steps, standard.Seed, standard.ControlScale, standard.Guidance), (options.Steps, options.Seed, options.ControlScale, options.Guidance));
        Assert.Equal((uint)sizeof(NativeEditOptions), options.Size);
        Assert.True(options.Progress is null && options.User is null);
        Assert.Equal(Status.Argument, DefaultOptions(null));
    }

    [Fact]
    public void Loading_names_what_is_wrong()
    {
        nint painter = 77;
        fixed (byte* nowhere = "nowhere\0"u8)
        {
            var options = new LoadOptions { Size = (uint)sizeof(LoadOptions), Model = nowhere };
            Assert.Equal(Status.Argument, Load(&options, null));
            Assert.Equal(Status.Checkpoint, Load(&options, &painter));
            Assert.Equal(0, painter);
            Assert.Contains("nowhere", Message(), StringComparison.Ordinal);
            options.Threads = 5000;
            Assert.Equal(Status.Option, Load(&options, &painter));
            options.Precision = 9;
            Assert.Equal(Status.Argument, Load(&options, &painter));
            Assert.Contains("precision is 9", Message(), StringComparison.Ordinal);
            options.Model = null;
            Assert.Equal(Status.Argument, Load(&options, &painter));
            options.Size = 3;
            Assert.Equal(Status.Argument, Load(&options, &painter));
            Assert.Contains("size is 3", Message(), StringComparison.Ordinal);
        }

        Assert.Equal(Status.Argument, Load(null, &painter));
        Assert.Equal("options is NULL.", Message());
    }

    [Fact]
    public void Products_in_bfloat16_are_near()
    {
        var painter = Open(Precision.BFloat16);
        var (exact, near) = (new byte[Picture.Length], new byte[Picture.Length]);
        Assert.Equal(Status.Ok, Run(exact, PixelFormat.Rgb24, 0));
        Assert.Equal(Status.Ok, Run(near, PixelFormat.Rgb24, 0, painter));
        Assert.InRange(exact.Zip(near, (a, b) => Math.Abs(a - b)).Average(), 1e-6, 2);
        Assert.Equal(Status.Ok, Free(painter));
    }

    [Fact]
    public void Pictures_are_checked_before_they_are_read()
    {
        var made = new byte[Picture.Length];
        fixed (byte* pixels = Picture, strokes = Sketch, output = made)
        {
            var (sketch, result) = (Image(strokes), Image(output));
            var (signal, options) = (SketchOf(&sketch), Steps(1));
            (NativeImage Picture, Status Status)[] wrong =
            [
                (Image(null), Status.Argument),
                (Image(pixels) with { Format = 5 }, Status.Argument),
                (Image(pixels) with { Format = -1 }, Status.Argument),
                (Image(pixels) with { Width = 0 }, Status.Image),
                (Image(pixels) with { Width = int.MaxValue }, Status.Image),
                (Image(pixels) with { Height = -3 }, Status.Image),
                (Image(pixels) with { Height = 40000 }, Status.Image),
                (Image(pixels) with { Width = 32768, Height = 32768 }, Status.Image),
                (Image(pixels) with { Stride = 191 }, Status.Image),
                (Image(pixels) with { Stride = -192 }, Status.Image),
                (Image(pixels) with { Stride = int.MaxValue }, Status.Image),
            ];
            foreach (var (picture, status) in wrong)
            {
                var image = picture;
                Assert.Equal(status, Edit(_painter, &image, &signal, &options, &result));
                var good = Image(pixels);
                Assert.Equal(status, Edit(_painter, &good, &signal, &options, &image));
                var other = SketchOf(&image);
                Assert.Equal(status, Edit(_painter, &good, &other, &options, &result));
            }

            var whole = Image(pixels);
            Assert.Equal(Status.Argument, Edit(_painter, null, &signal, &options, &result));
            Assert.Equal(Status.Argument, Edit(_painter, &whole, null, &options, &result));
            Assert.Equal(Status.Argument, Edit(_painter, &whole, &signal, &options, null));
            var small = Image(output) with { Height = 63 };
            Assert.Equal(Status.Image, Edit(_painter, &whole, &signal, &options, &small));
            small = Image(output) with { Width = 63 };
            Assert.Equal(Status.Image, Edit(_painter, &whole, &signal, &options, &small));
            Assert.Contains("63×64", Message(), StringComparison.Ordinal);
        }

        Assert.All(made, b => Assert.Equal(0, b));
    }

    [Fact]
    public void Signals_and_options_are_checked()
    {
        var made = new byte[Picture.Length];
        fixed (byte* pixels = Picture, strokes = Sketch, output = made)
        {
            var (image, sketch, result) = (Image(pixels), Image(strokes), Image(output));
            var drag = new NativeDrag { SourceX = float.NaN };
            (NativeSignal Signal, Status Status)[] wrong =
            [
                (default, Status.Signal),
                (new NativeSignal { Sketch = &sketch, Coarse = &image }, Status.Signal),
                (new NativeSignal { DragCount = 1 }, Status.Argument),
                (new NativeSignal { DragCount = -1, Drags = &drag }, Status.Signal),
                (new NativeSignal { DragCount = int.MaxValue, Drags = &drag }, Status.Signal),
                (new NativeSignal { DragCount = 1, Drags = &drag }, Status.Signal),
            ];
            var options = Steps(1);
            foreach (var (given, status) in wrong)
            {
                var signal = given;
                signal.Size = (uint)sizeof(NativeSignal);
                Assert.Equal(status, Edit(_painter, &image, &signal, &options, &result));
            }

            var good = SketchOf(&sketch);
            good.Size++;
            Assert.Equal(Status.Argument, Edit(_painter, &image, &good, &options, &result));
            good.Size--;
            options.Size = 0;
            Assert.Equal(Status.Argument, Edit(_painter, &image, &good, &options, &result));
            options = Steps(0);
            Assert.Equal(Status.Option, Edit(_painter, &image, &good, &options, &result));
            options = Steps(1);
            options.Guidance = float.NaN;
            Assert.Equal(Status.Option, Edit(_painter, &image, &good, &options, &result));
        }
    }

    [Fact]
    public void Handles_that_are_stale_or_made_up_are_found_out()
    {
        var painter = Open();
        Assert.Equal(Status.Ok, Cancel(painter));
        Assert.Equal(Status.Ok, Free(painter));
        Assert.Equal(Status.Ok, Free(0));
        foreach (var handle in (ReadOnlySpan<nint>)[painter, -1, unchecked((nint)0x7FFF_0000_1234)])
        {
            Assert.Equal(Status.Handle, Free(handle));
            Assert.Equal(Status.Handle, Cancel(handle));
            Assert.Equal(Status.Handle, Run(new byte[Picture.Length], PixelFormat.Rgb24, 0, handle));
        }

        Assert.Equal(Status.Argument, Cancel(0));
    }

    [Fact]
    public void A_callback_cancels_and_may_not_edit_or_free()
    {
        var made = new byte[Picture.Length];
        (s_painter, s_fromCallback) = (_painter, []);
        Assert.Equal(Status.Cancelled, Run(made, PixelFormat.Rgb24, 0, progress: &Stop));
        Assert.All(made, b => Assert.Equal(0, b));
        Assert.Equal(0, s_fromCallback.Count % 2);
        Assert.NotEmpty(s_fromCallback);
        Assert.All(s_fromCallback, s => Assert.Equal(Status.Busy, s));
        Assert.Equal(Status.Cancelled, Run(made, PixelFormat.Rgb24, 0, progress: &CancelAll));
        Assert.Equal(Status.Ok, Run(made, PixelFormat.Rgb24, 0));
        Assert.Equal(Managed().ToRgb().Pixels.ToArray(), made);
    }

    [Fact]
    public void Freeing_ends_an_edit_that_runs()
    {
        var painter = Open();
        using var begun = new ManualResetEventSlim();
        s_begun = begun;
        var status = Status.Ok;
        var edit = new Thread(() => status = Run(new byte[Picture.Length], PixelFormat.Rgb24, 0, painter, &Begun, 1000));
        edit.Start();
        begun.Wait(TestContext.Current.CancellationToken);
        Assert.Equal(Status.Ok, Free(painter));
        edit.Join();
        Assert.Equal(Status.Cancelled, status);
    }

    [Fact]
    public void A_message_is_cut_between_characters()
    {
        Assert.Equal(Status.Image, RunOfExtents(0, 5));
        var whole = Message();
        var bytes = Encoding.UTF8.GetBytes(whole);
        Assert.Contains("0×5", whole, StringComparison.Ordinal);
        for (var capacity = 1; capacity <= bytes.Length + 1; capacity++)
        {
            var buffer = Enumerable.Repeat((byte)0xFF, capacity + 1).ToArray();
            fixed (byte* p = buffer)
            {
                Assert.Equal(bytes.Length, LastError(p, capacity));
            }

            var end = Array.IndexOf(buffer, (byte)0);
            Assert.InRange(end, capacity - 2, capacity - 1);
            Assert.StartsWith(new UTF8Encoding(false, throwOnInvalidBytes: true).GetString(buffer, 0, Math.Max(end, 0)), whole, StringComparison.Ordinal);
            Assert.Equal(0xFF, buffer[capacity]);
        }

        fixed (byte* p = new byte[4])
        {
            Assert.Equal(bytes.Length, LastError(p, 0));
            Assert.Equal(bytes.Length, LastError(p, -4));
        }
    }

    [Fact]
    public void A_thread_without_failures_has_no_message()
    {
        var length = -1;
        var thread = new Thread(() => length = LastError(null, 0));
        thread.Start();
        thread.Join();
        Assert.Equal(0, length);
    }

    [Theory]
    [InlineData(typeof(CheckpointException), "Checkpoint")]
    [InlineData(typeof(PlanException), "Memory")]
    [InlineData(typeof(OutOfMemoryException), "Memory")]
    [InlineData(typeof(DeviceException), "Device")]
    [InlineData(typeof(OperationCanceledException), "Cancelled")]
    [InlineData(typeof(ObjectDisposedException), "Handle")]
    [InlineData(typeof(SignalException), "Signal")]
    [InlineData(typeof(ImageException), "Image")]
    [InlineData(typeof(InvalidOperationException), "Internal")]
    public void Every_exception_has_its_status(Type type, string status)
    {
        var constructor = type.GetConstructors().OrderBy(c => c.GetParameters().Length).First(c => c.GetParameters().Any(p => p.ParameterType == typeof(string)));
        var error = (Exception)constructor.Invoke([.. constructor.GetParameters().Select(p => p.ParameterType == typeof(string) && p.Name is "message" or "objectName" ? "what" : null)]);
        Assert.Equal(Enum.Parse<Status>(status), (Status)FramePainter.Native.LastError.Keep(error));
        Assert.Contains("what", Message(), StringComparison.Ordinal);
    }

    static ManualResetEventSlim? s_begun;

    static PixelImage Managed()
    {
        using var painter = Painter.Load(new PainterOptions { Model = ToyModel.Folder, Device = Device.Cpu });
        return painter.Edit(ImageFile.Load(Sample.Source.Span), Signal.Sketch(ImageFile.Load(Sample.Sketch.Span)), new EditOptions { Steps = 2 }).Edited;
    }

    Status RunOfExtents(int width, int height)
    {
        fixed (byte* pixels = Picture)
        {
            var image = Image(pixels) with { Width = width, Height = height };
            var signal = SketchOf(&image);
            return Edit(_painter, &image, &signal, null, &image);
        }
    }

    Status Run(byte[] made, PixelFormat format, int stride, nint? painter = null, delegate* unmanaged[Cdecl]<void*, int, int, int> progress = null, int steps = 2)
    {
        fixed (byte* pixels = Picture, strokes = Sketch, output = made)
        {
            var (image, sketch, result) = (Image(pixels), Image(strokes), Image(output) with { Format = (int)format, Stride = stride });
            var (signal, options) = (SketchOf(&sketch), Steps(steps));
            options.Progress = progress;
            return Edit(painter ?? _painter, &image, &signal, &options, &result);
        }
    }

    static NativeImage Image(byte* pixels) => new() { Pixels = pixels, Width = Side, Height = Side };

    static NativeSignal SketchOf(NativeImage* sketch) => new() { Size = (uint)sizeof(NativeSignal), Sketch = sketch };

    static NativeEditOptions Steps(int steps)
    {
        NativeEditOptions options;
        Assert.Equal(Status.Ok, DefaultOptions(&options));
        options.Steps = steps;
        return options;
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    static int Stop(void* user, int step, int steps)
    {
        s_fromCallback!.Add(Free(s_painter));
        s_fromCallback.Add(Edit(s_painter, null, null, null, null));
        return step == 1 ? 1 : 0;
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    static int CancelAll(void* user, int step, int steps)
    {
        _ = Cancel(s_painter);
        return 0;
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    static int Begun(void* user, int step, int steps)
    {
        if (step == 1)
        {
            s_begun!.Set();
        }

        return 0;
    }
}
