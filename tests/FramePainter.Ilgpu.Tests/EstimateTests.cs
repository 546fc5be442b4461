using FramePainter.Goldens;
using FramePainter.Toy;

namespace FramePainter.Ilgpu.Tests;

/// <summary>
/// Estimates against what a backend really took of its device, and budgets of its memory. On the stand-in plans are compiled and not run;
/// on PoCL, with FRAMEPAINTER_FULL=1, edits are made.
/// </summary>
public sealed class EstimateTests
{
    const string Long = "Kernels are built anew for each painter: FRAMEPAINTER_FULL=1.";

    static readonly Lazy<IlgpuBackend> s_standIn = new(() => new IlgpuBackend(IlgpuDevice.Cpu));
    static readonly Lazy<IlgpuBackend> s_halves = new(() => new IlgpuBackend(IlgpuDevice.Cpu, new IlgpuOptions { Weights = WeightStorage.Half }));

    static bool Full { get; } = Environment.GetEnvironmentVariable("FRAMEPAINTER_FULL") == "1";

    [Theory]
    [InlineData("toy", 64, 64, 1, WeightStorage.AsStored)]
    [InlineData("toy", 512, 256, 3, WeightStorage.Half)]
    [InlineData("tiny", 64, 128, 1, WeightStorage.AsStored)]
    [InlineData("tiny", 192, 64, 2, WeightStorage.Half)]
    public void Memory_of_the_device_is_estimated_to_the_byte(string model, int width, int height, int steps, WeightStorage weights)
    {
        var made = (weights == WeightStorage.Half ? s_halves : s_standIn).Value;
        Check(made, Options(model, Idle(made)), new EditOptions { Steps = steps, Size = (width, height) });
    }

    [Theory]
    [InlineData("toy", 64, 64, WeightStorage.AsStored)]
    [InlineData("tiny", 128, 64, WeightStorage.Half)]
    public void It_is_on_PoCL_too_where_edits_are_made(string model, int width, int height, WeightStorage weights)
    {
        Assert.SkipUnless(Full, Long);
        Assert.SkipWhen(Pocl.Absence is not null, Pocl.Absence ?? "");
        using var made = Pocl.Create(new IlgpuOptions { Weights = weights });
        Check(made, Options(model, Device.Custom("pocl", () => new LastingBackend(made))), new EditOptions { Steps = 1, Size = (width, height) });
    }

    [Fact]
    public void A_time_is_a_range()
    {
        Assert.SkipUnless(Full, Long);
        Assert.SkipWhen(Pocl.Absence is not null, Pocl.Absence ?? "");
        var options = Options("tiny", Device.Custom("pocl", Pocl.Create));
        var (least, most) = Painter.Estimate(options, new EditOptions { Steps = 1, Size = (64, 64) }, calibration: TimeSpan.FromSeconds(1)).Time!.Value;
        Assert.True(TimeSpan.Zero < least && least < most && most < TimeSpan.FromDays(1), $"{least} to {most}");
    }

    [Fact]
    public void An_edit_over_the_budget_is_refused_before_it_begins_and_the_size_that_is_named_fits()
    {
        const long budget = 64 << 20;
        using var made = new IlgpuBackend(IlgpuDevice.Cpu);
        using var painter = Painter.Load(Options("tiny", Idle(made)) with { MemoryBudget = budget });
        var loaded = made.PeakBytes;
        var error = Assert.Throws<PlanException>(() => Edit(painter, new EditOptions { Steps = 1, Size = (2048, 2048) }));
        Assert.Equal(loaded, made.PeakBytes);
        var named = System.Text.RegularExpressions.Regex.Match(error.Message, "An edit at 2048×2048 takes .* of the device's memory .*that fits is ([0-9]+)×", default, TimeSpan.FromSeconds(1));
        Assert.True(named.Success, error.Message);
        var side = int.Parse(named.Groups[1].Value, System.Globalization.CultureInfo.InvariantCulture);
        Edit(painter, new EditOptions { Steps = 1, Size = (side, side) });
        Assert.InRange(made.PeakBytes, loaded + 1, budget);
        Assert.Throws<PlanException>(() => Edit(painter, new EditOptions { Steps = 1, Size = (side + 64, side + 64) }));

        // Without the look before, the backend itself refuses.
        Assert.Contains("Raise PainterOptions.MemoryBudget", Assert.Throws<PlanException>(() => made.Allocate(budget)).Message, StringComparison.Ordinal);
    }

    static void Check(IlgpuBackend made, PainterOptions options, EditOptions edit)
    {
        made.Tally.Restart();
        var held = made.HeldBytes;
        var estimate = Painter.Estimate(options, edit, calibration: TimeSpan.Zero, cancel: TestContext.Current.CancellationToken);
        Assert.Equal(held, made.PeakBytes);
        using (var painter = Painter.Load(options))
        {
            Assert.Equal(painter.WeightBytes, made.HeldBytes);
            Edit(painter, edit);
            Assert.Equal(painter.WeightBytes, estimate.WeightBytes);
        }

        Assert.Equal(0, made.HeldBytes);
        Assert.Equal(made.PeakBytes, estimate.DeviceBytes);
        Assert.Equal(estimate.DeviceBytes, estimate.PeakBytes);
        Assert.Equal(0, estimate.SpareBytes);
        Assert.Equal(estimate.StagingBytes + estimate.PictureBytes + estimate.ProgramBytes, estimate.HostBytes);
        Assert.True(estimate.ArenaBytes > 0 && estimate.WorkspaceBytes > 0 && estimate.StagingBytes > 0);
    }

    static Device Idle(IlgpuBackend made) => Device.Custom("idle", () => new IdleBackend(made));

    static PainterOptions Options(string model, Device device) =>
        new() { Model = model == "toy" ? ToyModel.Folder : GoldenCase.Open(GoldenCase.DefaultRoot(), "tiny-pipeline-1").ModelFolder, Device = device };

    static void Edit(Painter painter, EditOptions options)
    {
        var pixels = new byte[64 * 64 * 3];
        pixels.AsSpan(64 * 3 * 20, 64 * 3 * 8).Fill(255);
        var picture = PixelImage.FromPixels(pixels, 64, 64, PixelFormat.Rgb24);
        Assert.NotNull(painter.Edit(picture, Signal.Sketch(picture), options, TestContext.Current.CancellationToken).Edited);
    }
}
