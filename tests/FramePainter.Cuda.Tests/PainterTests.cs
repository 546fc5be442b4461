using System.Reflection;
using System.Runtime.Loader;
using FramePainter.Conformance;
using FramePainter.Core.Tests.Engine;
using FramePainter.Core.Tests.Support;

namespace FramePainter.Cuda.Tests;

/// <summary>Painters on this backend: one device or several, and falling back where there is none.</summary>
[Trait("Needs", "emulator")]
public sealed class PainterTests : IDisposable
{
    static readonly EditOptions s_options = new() { Steps = 2, Size = (64, 64), Draws = DrawPrecision.Float32 };

    public PainterTests() => Emulator.Restore();

    [Fact]
    public void The_best_device_is_the_GPU_where_this_package_is_there()
    {
        var log = new ListLogger();
        using var painter = Load(Device.Auto, log);
        Assert.Equal("CUDA, FramePainter kernel emulator, float16", painter.Device);
        Assert.Equal(["Edits run on CUDA, FramePainter kernel emulator, float16."], log.Entries.Select(e => e.Text));
    }

    [Theory]
    [InlineData(0, 12040, 8, "CUDA_ERROR_NO_DEVICE")]
    [InlineData(1, 11020, 8, "FramePainter wants 11.8")]
    [InlineData(2, 12040, 7, "CUDA device 1, FramePainter kernel emulator, has compute capability 7.0")]
    public void Without_a_GPU_that_will_do_edits_run_on_the_processor_and_the_log_says_why(int devices, int version, int major, string why)
    {
        Emulator.Machine(devices, version, major, 0, (nuint)1 << 30);
        var log = new ListLogger();
        using var painter = Load(Device.Auto, log);
        Assert.StartsWith("CPU", painter.Device, StringComparison.Ordinal);
        Assert.StartsWith("Device cuda is passed over: ", log.Entries[0].Text, StringComparison.Ordinal);
        Assert.Contains(why, log.Entries[0].Text, StringComparison.Ordinal);
        Assert.Equal($"Edits run on {painter.Device}, not on cuda.", log.Entries[^1].Text);
        Assert.Throws<DeviceException>(() => Load(CudaDevice.Any, log));
    }

    [Fact]
    public void Without_a_driver_edits_run_on_the_processor_and_the_log_names_the_library()
    {
        // The binding finds its library once a process: a copy of the assembly finds none.
        var copy = new AssemblyLoadContext("without a driver", isCollectible: true);
        var cuda = copy.LoadFromAssemblyPath(typeof(CudaDevice).Assembly.Location);
        cuda.GetType("FramePainter.Cuda.Driver.NativeDriver", true)!.GetProperty("Override", BindingFlags.Public | BindingFlags.Static)!.SetValue(null, "libno-such-driver.so.1");
        var any = (Device)cuda.GetType(typeof(CudaDevice).FullName!, true)!.GetProperty(nameof(CudaDevice.Any))!.GetValue(null)!;
        var log = new ListLogger();
        using (var painter = Load(Device.FirstOf(any, Device.Cpu), log))
        {
            Assert.StartsWith("CPU", painter.Device, StringComparison.Ordinal);
        }

        Assert.Contains("The NVIDIA driver is not installed: libno-such-driver.so.1 not found. Install a driver", log.Entries[0].Text, StringComparison.Ordinal);
        Assert.Contains("libno-such-driver.so.1", Assert.Throws<DeviceException>(() => Load(any, log)).Message, StringComparison.Ordinal);
        copy.Unload();
    }

    [Fact]
    public void A_painter_edits_on_the_GPU_like_on_the_processor()
    {
        var live = Emulator.Live();
        var launches = Emulator.Launches();
        EditResult want, got;
        var options = s_options with { Steps = Profiles.IsFull ? 2 : 1, Size = (128, 128) };
        using (var painter = Load(Device.Cpu))
        {
            want = painter.Edit(Picture(), Sketch(), options, TestContext.Current.CancellationToken);
        }

        _ = Emulator.Peak(0);
        using (var painter = Load(CudaDevice.At(0)))
        {
            got = painter.Edit(Picture(), Sketch(), options, TestContext.Current.CancellationToken);
        }

        var peak = (long)Emulator.Peak(0);
        Assert.Equal(Painter.Estimate(EstimateTests.Options("tiny"), options, (64, 64), TimeSpan.Zero, TestContext.Current.CancellationToken).DeviceBytes, peak);
        Assert.True(Emulator.Launches() > launches + 500, $"the kernels did the work: {Emulator.Launches() - launches} launches");
        Assert.Equal(live, Emulator.Live());
        Assert.Equal("CUDA, FramePainter kernel emulator, float16", got.Metadata.Device);
        var noise = GoldenTests.Psnr(GoldenTests.Pixels(want.Edited), GoldenTests.Pixels(got.Edited));
        Assert.InRange(noise, HalfBounds.Edit, 100);
    }

    [Fact]
    public void Painters_on_several_devices_edit_at_once_each_in_memory_of_its_own()
    {
        Emulator.Machine(3, 12040, 8, 6, (nuint)4 << 30);
        for (var device = 0; device < 3; device++)
        {
            _ = Emulator.Peak(device);
        }

        using var one = Load(CudaDevice.At(0));
        using var two = Load(CudaDevice.At(2));
        var options = s_options with { Steps = Profiles.IsFull ? 2 : 1 };
        var edits = new[] { one, two, one }.Select(p => p.EditAsync(Picture(), Sketch(), options, TestContext.Current.CancellationToken)).ToArray();
        var latents = edits.Select(e => e.GetAwaiter().GetResult().Latents.ToArray()).ToArray();
        Assert.Equal(latents[0], latents[1]);
        Assert.Equal(latents[0], latents[2]);
        var peaks = Enumerable.Range(0, 3).Select(d => (long)Emulator.Peak(d)).ToArray();
        Assert.True(peaks[0] >= one.WeightBytes, $"{peaks[0]} bytes on device 0");
        Assert.Equal(0, peaks[1]);
        Assert.True(peaks[2] >= two.WeightBytes, $"{peaks[2]} bytes on device 2");
    }

    public void Dispose() => Emulator.Restore();

    internal static Painter Load(Device device, ListLogger? log = null, Precision precision = Precision.Float32) =>
        Painter.Load(new PainterOptions { Model = Repository.TinyModel, Device = device, Logger = log, Threads = 2, Precision = precision });

    internal static PixelImage Picture()
    {
        var pixels = new byte[64 * 64 * 3];
        new Random(5).NextBytes(pixels);
        return PixelImage.FromPixels(pixels, 64, 64, PixelFormat.Rgb24);
    }

    internal static Signal Sketch()
    {
        var pixels = new byte[64 * 64 * 3];
        pixels.AsSpan(64 * 3 * 20, 64 * 3 * 8).Fill(255);
        return Signal.Sketch(PixelImage.FromPixels(pixels, 64, 64, PixelFormat.Rgb24));
    }
}
