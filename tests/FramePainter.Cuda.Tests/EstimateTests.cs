using System.Diagnostics;
using FramePainter.Core.Tests.Engine;
using FramePainter.Toy;

namespace FramePainter.Cuda.Tests;

/// <summary>Estimates against what edits really take of the device's memory.</summary>
[Trait("Needs", "emulator")]
public sealed class EstimateTests : IDisposable
{
    public EstimateTests() => Emulator.Restore();

    /// <summary>Model, sides, steps, budget in KiB (0 for none) and the matrices' share of it, the machine's capability, and what else makes an edit another.</summary>
    public static TheoryData<string, int, int, int, int, int, int, string> Edits() => new()
    {
        { "toy", 64, 64, 1, 0, 0, 8, "" },
        { "toy", 128, 96, 3, 0, 0, 8, "halves" },
        { "toy", 64, 64, 4, 0, 0, 9, "deep" },
        { "toy", 512, 512, 2, 0, 0, 8, "" },
        { "toy", 512, 512, 2, 0, 0, 9, "" },
        { "toy", 64, 64, 1, 1 << 20, 0, 8, "" },
        { "toy", 96, 128, 1, 1 << 20, 6 << 10, 8, "" },
        { "tiny", 64, 64, 2, 0, 0, 8, "" },
        { "tiny", 192, 128, 1, 0, 0, 9, "" },
        { "tiny", 64, 64, 1, 14 << 10, 1 << 10, 8, "" },
        { "tiny", 64, 128, 1, 16 << 10, 4 << 10, 8, "" },
        { "tiny", 256, 256, 3, 40 << 10, 2 << 10, 9, "" },
    };

    [Theory]
    [MemberData(nameof(Edits))]
    public void Memory_of_the_device_is_estimated_to_the_byte(string model, int width, int height, int steps, int budget, int share, int capability, string kind)
    {
        Emulator.Machine(1, 12040, capability, 0, (nuint)8 << 30);
        Emulator.Idle(1);
        var options = Options(model, budget > 0 ? new CudaOptions { MemoryBudget = (long)budget << 10, WeightMemory = (long)share << 10 } : null);
        var edit = new EditOptions
        {
            Steps = steps, Size = (width, height), RefreshDeepFeaturesEvery = kind == "deep" ? 2 : 1, SkipUnconditionalBelow = kind == "halves" ? 1.5f : 0,
        };
        var live = Emulator.Live();
        _ = Emulator.Peak(0);
        var estimate = Painter.Estimate(options, edit, (64, 64), TimeSpan.Zero, TestContext.Current.CancellationToken);
        Assert.Equal(0, (long)Emulator.Peak(0));
        Assert.Equal(live, Emulator.Live());
        Assert.Null(estimate.Time);
        _ = Emulator.PinnedPeak();
        using var painter = Painter.Load(options);
        var result = painter.Edit(PainterTests.Picture(), PainterTests.Sketch(), edit, TestContext.Current.CancellationToken);
        var (peak, pinned) = ((long)Emulator.Peak(0), (long)Emulator.PinnedPeak());
        TestContext.Current.SendDiagnosticMessage($"{model} {width}x{height} {steps} {kind}: peak {peak:N0}, estimated {estimate.DeviceBytes:N0} (weights {estimate.WeightBytes:N0}, arena {estimate.ArenaBytes:N0}, workspace {estimate.WorkspaceBytes:N0}, spare {estimate.SpareBytes:N0}); pinned {pinned:N0}, staging {estimate.StagingBytes:N0}");
        Assert.Equal(peak, estimate.DeviceBytes);
        Assert.Equal(estimate.DeviceBytes, estimate.PeakBytes);
        Assert.True(budget == 0 || estimate.DeviceBytes <= (long)budget << 10);
        Assert.True(estimate.WeightBytes > 0 && estimate.ArenaBytes > 0 && estimate.WorkspaceBytes > 0);

        // Beside pinned memory staging has the largest matrix, as it is stored and as it is packed.
        Assert.InRange(estimate.StagingBytes - pinned, 1, 32 << 20);
        Assert.Equal(estimate.StagingBytes + estimate.PictureBytes + estimate.ProgramBytes, estimate.HostBytes);
        Assert.InRange(estimate.Flops, result.Timings.Sum(t => t.Flops), 2 * result.Timings.Sum(t => t.Flops));
    }

    [Fact]
    public void A_time_is_a_range_made_in_about_the_time_given()
    {
        Assert.SkipUnless(Profiles.IsFull, "Set FRAMEPAINTER_FULL=1 to time the emulator.");
        var (options, edit) = (Options("tiny"), new EditOptions { Steps = 2, Size = (64, 64) });
        var clock = Stopwatch.StartNew();
        _ = Painter.Estimate(options, edit, (64, 64), TimeSpan.Zero, TestContext.Current.CancellationToken);
        var without = clock.Elapsed;
        clock.Restart();
        var (least, most) = Painter.Estimate(options, edit, (64, 64), TimeSpan.FromSeconds(1), TestContext.Current.CancellationToken).Time!.Value;
        Assert.True(TimeSpan.Zero < least && least < most && most < TimeSpan.FromDays(1), $"{least} to {most}");

        // The op under way when the time is spent is timed to its end.
        Assert.InRange(clock.Elapsed - without, TimeSpan.Zero, TimeSpan.FromSeconds(60));
    }

    [Fact]
    public void An_edit_that_does_not_fit_the_budget_of_an_estimate_is_named()
    {
        var options = Options("tiny", new CudaOptions { MemoryBudget = 12 << 20, WeightMemory = 0 });
        var error = Assert.Throws<PlanException>(() => Painter.Estimate(options, new EditOptions { Steps = 1, Size = (512, 512) }, (64, 64), TimeSpan.Zero));
        Assert.Contains("CUDA device 0, FramePainter kernel emulator: the memory budget is 12 MiB", error.Message, StringComparison.Ordinal);
        Assert.Contains("Raise CudaOptions.MemoryBudget to ", error.Message, StringComparison.Ordinal);
    }

    internal static PainterOptions Options(string model, CudaOptions? options = null, long? budget = null) => new()
    {
        Model = model == "toy" ? ToyModel.Folder : Repository.TinyModel, Device = CudaDevice.At(0, options), Threads = 2, MemoryBudget = budget,
    };

    public void Dispose() => Emulator.Restore();
}
