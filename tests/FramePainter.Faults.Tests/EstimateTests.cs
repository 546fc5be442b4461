using System.Diagnostics;
using System.Globalization;
using FramePainter.EndToEnd;
using FramePainter.Tensors;
using FramePainter.Toy;

namespace FramePainter.Faults.Tests;

/// <summary>Estimates against what edits really take: memory always, time with FRAMEPAINTER_FULL=1 on a quiet machine.</summary>
public sealed class EstimateTests
{
    static string Tiny => Path.Combine(CommandLine.Repository, "tests", "goldens", "models", "tiny");

    /// <summary>Model, sides, steps, and what else makes an edit another.</summary>
    public static TheoryData<string, int, int, int, Precision, WeightFormat, string> Edits() => new()
    {
        { "toy", 64, 64, 1, Precision.Float32, WeightFormat.AsStored, "" },
        { "toy", 64, 64, 8, Precision.Float32, WeightFormat.Int8, "" },
        { "toy", 128, 96, 2, Precision.BFloat16, WeightFormat.AsStored, "" },
        { "toy", 256, 256, 2, Precision.Float32, WeightFormat.BFloat16, "unguided" },
        { "toy", 64, 64, 6, Precision.Float32, WeightFormat.AsStored, "deep" },
        { "toy", 64, 64, 6, Precision.Float32, WeightFormat.AsStored, "halves" },
        { "tiny", 64, 64, 1, Precision.Float32, WeightFormat.AsStored, "" },
        { "tiny", 256, 192, 2, Precision.Float32, WeightFormat.AsStored, "" },
        { "tiny", 128, 128, 2, Precision.BFloat16, WeightFormat.BFloat16, "" },
    };

    [Theory]
    [MemberData(nameof(Edits))]
    public void Native_memory_is_estimated_to_the_byte(string model, int width, int height, int steps, Precision precision, WeightFormat weights, string kind)
    {
        var (options, edit) = Case(model, width, height, steps, precision, weights, kind);
        var estimate = Painter.Estimate(options, edit, calibration: TimeSpan.Zero, cancel: TestContext.Current.CancellationToken);
        Assert.Equal(0, NativeBuffer.LiveBytes);
        Assert.Null(estimate.Time);

        NativeBuffer.ResetPeak();
        using var painter = Painter.Load(options);
        var loaded = GC.GetAllocatedBytesForCurrentThread();
        var result = painter.Edit(Picture(width, height), Signal.Sketch([new Stroke([new(5, 5), new(50, 40)], 3)], width, height), edit);
        var managed = GC.GetAllocatedBytesForCurrentThread() - loaded;
        var native = NativeBuffer.PeakBytes;
        var (weightBytes, flops) = (painter.WeightBytes, result.Timings.Sum(t => t.Flops));
        Assert.Equal(native, estimate.WeightBytes + estimate.ArenaBytes + estimate.WorkspaceBytes);
        Assert.Equal(weightBytes, estimate.WeightBytes);
        TestContext.Current.SendDiagnosticMessage(string.Create(CultureInfo.InvariantCulture,
            $"{model} {width}x{height} {steps} {precision} {weights} {kind}: native {native:N0}, estimated {estimate.WeightBytes + estimate.ArenaBytes + estimate.WorkspaceBytes:N0}; managed {managed:N0}, pictures {estimate.PictureBytes:N0}; flops {flops:E3}, estimated {estimate.Flops:E3}"));

        // Beside the stages' own the estimate counts what is prepared once an edit.
        Assert.InRange(estimate.Flops, flops, flops * 2);

        // What assembles kernels for bfloat16, once a process, is beside it; so are the stages' delegates and strings.
        Assert.InRange(estimate.PictureBytes, managed / 4, managed * 3 / 2);
    }

    /// <summary>Weights are packed at the smallest size when a painter is loaded; what another size wanted in another form would lie there twice.</summary>
    [Theory]
    [InlineData(Precision.Float32, WeightFormat.AsStored)]
    [InlineData(Precision.Float32, WeightFormat.Int8)]
    [InlineData(Precision.BFloat16, WeightFormat.AsStored)]
    [InlineData(Precision.BFloat16, WeightFormat.Int8)]
    public void Weights_take_the_same_memory_at_every_size_and_number_of_steps(Precision precision, WeightFormat weights)
    {
        foreach (var model in (string[])["tiny", "toy"])
        {
            var taken = new[] { (64, 64, 1, ""), (64, 64, 1, "unguided"), (64, 128, 25, ""), (256, 256, 25, "deep"), (512, 384, 3, "halves") }.Select(e =>
            {
                var (options, edit) = Case(model, e.Item1, e.Item2, e.Item3, precision, weights, e.Item4);
                return Painter.Estimate(options, edit, calibration: TimeSpan.Zero, cancel: TestContext.Current.CancellationToken).WeightBytes;
            });
            Assert.Single(taken.Distinct());
        }
    }

    [Fact]
    public void More_steps_and_larger_sizes_take_more_and_nothing_is_read_of_the_weights()
    {
        var reads = 0L;
        FramePainter.Weights.DiskReads.Inject((path, wanted) =>
        {
            reads += path.EndsWith(".safetensors", StringComparison.Ordinal) ? wanted : 0;
            return wanted;
        });
        try
        {
            var options = new PainterOptions { Model = ToyModel.Folder, Device = Device.Cpu, Threads = 1 };
            var small = Painter.Estimate(options, new EditOptions { Steps = 2, Size = (64, 64) }, calibration: TimeSpan.Zero);
            var headers = reads;
            var large = Painter.Estimate(options, new EditOptions { Steps = 2, Size = (512, 512) }, calibration: TimeSpan.Zero);
            var long_ = Painter.Estimate(options, new EditOptions { Steps = 20, Size = (64, 64) }, calibration: TimeSpan.Zero);
            Assert.True(large.PeakBytes - large.ProgramBytes > small.PeakBytes - small.ProgramBytes);
            Assert.True(long_.Flops > small.Flops && large.Flops > small.Flops);
            Assert.Equal(3 * headers, reads);
            Assert.True(headers < small.WeightBytes / 10, $"{headers} bytes were read for {small.WeightBytes} bytes of weights");
        }
        finally
        {
            FramePainter.Weights.DiskReads.Inject(null);
        }
    }

    [Fact]
    public void A_time_is_a_range_that_grows_with_the_steps()
    {
        var options = new PainterOptions { Model = ToyModel.Folder, Device = Device.Cpu, Threads = 1 };
        var few = Painter.Estimate(options, new EditOptions { Steps = 2, Size = (64, 64) }, calibration: TimeSpan.FromSeconds(1)).Time!.Value;
        var many = Painter.Estimate(options, new EditOptions { Steps = 100, Size = (64, 64) }, calibration: TimeSpan.FromSeconds(1)).Time!.Value;
        Assert.True(TimeSpan.Zero < few.Least && few.Least < few.Most, $"{few}");
        Assert.True(many.Least > few.Most, $"{few} and {many}");
    }

    [Theory]
    [InlineData("toy", 64, 64, 25)]
    [InlineData("toy", 256, 256, 5)]
    [InlineData("tiny", 128, 128, 10)]
    public void The_time_is_within_a_quarter(string model, int width, int height, int steps)
    {
        Assert.SkipUnless(Ground.Full, "Times want a quiet machine: FRAMEPAINTER_FULL=1.");
        var (options, edit) = Case(model, width, height, steps, Precision.Float32, WeightFormat.AsStored, "");
        using var painter = Painter.Load(options);
        var (picture, signal) = (Picture(width, height), Signal.Sketch([new Stroke([new(5, 5), new(50, 40)], 3)], width, height));
        painter.Edit(picture, signal, edit);

        // Measured before and after, so that a machine that is slow for a while counts on both sides.
        var best = double.MaxValue;
        for (var attempt = 0; attempt < 5; attempt++)
        {
            var before = Seconds();
            var (least, most) = Painter.Estimate(options, edit, calibration: TimeSpan.FromSeconds(3)).Time!.Value;
            var measured = (before + Seconds()) / 2;
            var middle = (least + most).TotalSeconds / 2;
            best = Math.Min(best, Math.Abs((middle / measured) - 1));
            TestContext.Current.SendDiagnosticMessage(string.Create(CultureInfo.InvariantCulture, $"{model} {width}x{height}, {steps} steps: {measured:F3} s, estimated {least.TotalSeconds:F3} to {most.TotalSeconds:F3} s"));
        }

        Assert.InRange(best, 0, 0.25);

        double Seconds()
        {
            var clock = Stopwatch.StartNew();
            painter.Edit(picture, signal, edit);
            return clock.Elapsed.TotalSeconds;
        }
    }

    [Theory]
    [InlineData("toy", 64, 2)]
    [InlineData("toy", 256, 1)]
    [InlineData("tiny", 128, 1)]
    public void The_peak_of_a_whole_process_is_within_a_tenth(string model, int side, int steps)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "The peak is asked of /proc.");
        string[] what = [.. model == "toy" ? [] : (string[])["--model", Tiny], "--size", $"{side}x{side}", "--steps", $"{steps}", "--threads", "2"];
        var estimated = CommandLine.Run(["estimate", "--calibration", "0", .. what]);
        estimated.AssertExit(0);
        var peak = double.Parse(estimated.Output.Split('\n').Single(l => l.StartsWith("peak\t", StringComparison.Ordinal)).Split('\t')[1], CultureInfo.InvariantCulture);

        using var process = CommandLine.Start(["bench", "--repeat", "0", .. what]);
        long measured = 0;
        while (!process.HasExited)
        {
            // The kernel keeps the highest; it is asked until there is nobody to ask.
            try
            {
                var line = File.ReadLines($"/proc/{process.Id}/status").FirstOrDefault(l => l.StartsWith("VmHWM:", StringComparison.Ordinal));
                measured = line is null ? measured : Math.Max(measured, long.Parse(line.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture) * 1024);
            }
            catch (IOException)
            {
                break;
            }

            Thread.Sleep(5);
        }

        CommandLine.Finish(process).AssertExit(0);
        TestContext.Current.SendDiagnosticMessage(string.Create(CultureInfo.InvariantCulture, $"{model} {side}x{side}, {steps} steps: peak {measured / 1e6:F1} MB, estimated {peak / 1e6:F1} MB, {peak / measured:F3}"));
        Assert.InRange(peak / measured, 0.9, 1.1);
    }

    [Fact]
    public void The_command_tells_parts_and_time()
    {
        var outcome = CommandLine.Run("estimate", "--steps", "2", "--calibration", "1");
        outcome.AssertExit(0);
        foreach (var part in new[] { "weights\t", "arena\t", "workspace\t", "pictures\t", "program\t", "peak\t", "64x64, 2 steps; CPU", "GFLOP", "time " })
            Assert.Contains(part, outcome.Output, StringComparison.Ordinal);

        Assert.DoesNotContain("staging\t", outcome.Output, StringComparison.Ordinal);
        outcome = CommandLine.Run("estimate", "--size", "100x100", "--calibration", "0");
        outcome.AssertExit(2);
        Assert.Contains("multiples of", outcome.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void The_command_tells_a_GPU_and_its_host_apart()
    {
        // The emulator in the place of the driver's library.
        var emulator = Path.Combine(CommandLine.Repository, "artifacts", "emulator", "libcuda-emulator.so");
        Assert.SkipUnless(OperatingSystem.IsLinux() && File.Exists(emulator), "There is no emulator of the driver: kernels/build.sh emulator.");
        using var folder = new Core.Tests.Weights.TestFolder();
        File.CreateSymbolicLink(folder["libcuda.so.1"], emulator);
        string[] driver = [$"LD_LIBRARY_PATH={Path.GetDirectoryName(folder["libcuda.so.1"])}"];
        var outcome = CommandLine.RunWith(driver, "estimate", "--device", "cuda:0", "--steps", "2", "--calibration", "1");
        outcome.AssertExit(0);
        foreach (var part in new[] { "weights\t", "spare\t", "device peak\t", "staging\t", "pictures\t", "host peak\t", "64x64, 2 steps; CUDA, FramePainter kernel emulator, float16; ", "GFLOP", "time " })
            Assert.Contains(part, outcome.Output, StringComparison.Ordinal);

        // Without a name it is the GPU where there is one.
        Assert.Contains("CUDA, ", CommandLine.RunWith(driver, "estimate", "--calibration", "0").Output, StringComparison.Ordinal);
        outcome = CommandLine.RunWith(driver, "estimate", "--device", "cuda:1", "--calibration", "0");
        outcome.AssertExit(1);
        Assert.Contains("There is no CUDA device 1", outcome.Error, StringComparison.Ordinal);
    }

    static (PainterOptions Options, EditOptions Edit) Case(string model, int width, int height, int steps, Precision precision, WeightFormat weights, string kind) => (
        new PainterOptions { Model = model == "toy" ? ToyModel.Folder : Tiny, Device = Device.Cpu, Threads = 2, Precision = precision, Weights = weights },
        new EditOptions
        {
            Steps = steps, Size = (width, height), Guidance = kind == "unguided" ? 0.5f : 3, RefreshDeepFeaturesEvery = kind == "deep" ? 3 : 1, SkipUnconditionalBelow = kind == "halves" ? 1.5f : 0,
        });

    static PixelImage Picture(int width, int height)
    {
        var pixels = new byte[width * height * 3];
        new Random(5).NextBytes(pixels);
        return PixelImage.FromPixels(pixels, width, height, PixelFormat.Rgb24);
    }
}
