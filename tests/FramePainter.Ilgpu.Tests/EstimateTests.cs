using FramePainter.Goldens;
using FramePainter.Toy;

namespace FramePainter.Ilgpu.Tests;

/// <summary>Estimates against what a backend really took of its device, and budgets of its memory.</summary>
public sealed class EstimateTests
{
    [Theory]
    [InlineData("toy", 64, 64, 1, WeightStorage.AsStored)]
    [InlineData("tiny", 64, 128, 1, WeightStorage.AsStored)]
    [InlineData("tiny", 128, 64, 2, WeightStorage.Half)]
    public void Memory_of_the_device_is_estimated_to_the_byte(string model, int width, int height, int steps, WeightStorage weights)
    {
        Assert.SkipWhen(Pocl.Absence is not null, Pocl.Absence ?? "");
        IlgpuBackend? made = null;
        var options = Options(model, Device.Custom("pocl", () => made = Pocl.Create(new IlgpuOptions { Weights = weights })));
        var edit = new EditOptions { Steps = steps, Size = (width, height) };
        var estimate = Painter.Estimate(options, edit, calibration: TimeSpan.Zero, cancel: TestContext.Current.CancellationToken);
        Assert.Equal(0, made!.PeakBytes);
        long held;
        using (var painter = Painter.Load(options))
        {
            Assert.Equal(painter.WeightBytes, made.HeldBytes);
            Edit(painter, edit);
            held = made.PeakBytes;
            Assert.Equal(painter.WeightBytes, estimate.WeightBytes);
        }

        Assert.Equal(0, made.HeldBytes);
        Assert.Equal(held, estimate.DeviceBytes);
        Assert.Equal(estimate.DeviceBytes, estimate.PeakBytes);
        Assert.Equal(0, estimate.SpareBytes);
        Assert.Equal(estimate.StagingBytes + estimate.PictureBytes + estimate.ProgramBytes, estimate.HostBytes);
        Assert.True(estimate.ArenaBytes > 0 && estimate.WorkspaceBytes > 0 && estimate.StagingBytes > 0);
    }

    [Fact]
    public void Weights_are_estimated_on_the_stand_in_too()
    {
        var options = Options("tiny", IlgpuDevice.Cpu.ForPainter());
        var estimate = Painter.Estimate(options, new EditOptions { Steps = 1, Size = (64, 64) }, calibration: TimeSpan.Zero);
        using var painter = Painter.Load(options);
        Assert.Equal(painter.WeightBytes, estimate.WeightBytes);
    }

    [Fact]
    public void A_time_is_a_range()
    {
        Assert.SkipWhen(Pocl.Absence is not null, Pocl.Absence ?? "");
        var options = Options("tiny", Device.Custom("pocl", () => Pocl.Create()));
        var (least, most) = Painter.Estimate(options, new EditOptions { Steps = 1, Size = (64, 64) }, calibration: TimeSpan.FromSeconds(1)).Time!.Value;
        Assert.True(TimeSpan.Zero < least && least < most && most < TimeSpan.FromDays(1), $"{least} to {most}");
    }

    [Fact]
    public void An_edit_over_the_budget_is_refused_before_it_begins_and_the_size_that_is_named_runs()
    {
        Assert.SkipWhen(Pocl.Absence is not null, Pocl.Absence ?? "");
        const long budget = 64 << 20;
        IlgpuBackend? made = null;
        using var painter = Painter.Load(Options("tiny", Device.Custom("pocl", () => made = Pocl.Create())) with { MemoryBudget = budget });
        var loaded = made!.PeakBytes;
        var error = Assert.Throws<PlanException>(() => Edit(painter, new EditOptions { Steps = 1, Size = (2048, 2048) }));
        Assert.Equal(loaded, made.PeakBytes);
        var named = System.Text.RegularExpressions.Regex.Match(error.Message, "An edit at 2048×2048 takes .* of the device's memory .*that fits is ([0-9]+)×", default, TimeSpan.FromSeconds(1));
        Assert.True(named.Success, error.Message);
        var side = int.Parse(named.Groups[1].Value, System.Globalization.CultureInfo.InvariantCulture);
        Edit(painter, new EditOptions { Steps = 1, Size = (side, side) });
        Assert.InRange(made.PeakBytes, loaded + 1, budget);
        Assert.Throws<PlanException>(() => Edit(painter, new EditOptions { Steps = 1, Size = (side + 64, side + 64) }));
    }

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
