using FramePainter.Core.Tests.Engine;
using FramePainter.Toy;

namespace FramePainter.Cuda.Tests;

/// <summary>Estimates against what edits really take of the device's memory.</summary>
[Trait("Needs", "emulator")]
public sealed class EstimateTests : IDisposable
{
    public EstimateTests() => Emulator.Restore();

    /// <summary>Model, sides, steps, budget in KiB and the matrices' share of it (0 for all memory), the machine's capability, and what else makes an edit another.</summary>
    public static TheoryData<string, int, int, int, long, int, int, string> Edits() => new()
    {
        { "toy", 64, 64, 1, 0, 0, 8, "" },
        { "toy", 128, 96, 2, 0, 0, 8, "halves" },
        { "toy", 64, 64, 2, 0, 0, 9, "deep" },
        { "toy", 64, 64, 1, 1 << 20, 0, 8, "" },
        { "toy", 96, 128, 1, 1 << 20, 600, 8, "" },
        { "tiny", 64, 64, 2, 0, 0, 8, "" },
        { "tiny", 128, 64, 1, 0, 0, 9, "" },
        { "tiny", 64, 64, 1, 14 << 10, 1 << 10, 8, "" },
        { "tiny", 64, 128, 1, 16 << 10, 4 << 10, 8, "" },
    };

    [Theory]
    [MemberData(nameof(Edits))]
    public void Memory_of_the_device_is_estimated_to_the_byte(string model, int width, int height, int steps, long budget, int share, int capability, string kind)
    {
        Emulator.Machine(1, 12040, capability, 0, (nuint)8 << 30);
        var options = Options(model, budget > 0 ? new CudaOptions { MemoryBudget = budget << 10, WeightMemory = (long)share << 10 } : null);
        var edit = new EditOptions
        {
            Steps = steps, Size = (width, height), Draws = DrawPrecision.Float32, RefreshDeepFeaturesEvery = kind == "deep" ? 2 : 1, SkipUnconditionalBelow = kind == "halves" ? 1.5f : 0,
        };
        var live = Emulator.Live();
        _ = Emulator.Peak(0);
        var estimate = Painter.Estimate(options, edit, calibration: TimeSpan.Zero, cancel: TestContext.Current.CancellationToken);
        Assert.Equal(0, (long)Emulator.Peak(0));
        Assert.Equal(live, Emulator.Live());

        using var painter = Painter.Load(options);
        painter.Edit(PainterTests.Picture(), PainterTests.Sketch(), edit, TestContext.Current.CancellationToken);
        var peak = (long)Emulator.Peak(0);
        TestContext.Current.SendDiagnosticMessage($"{model} {width}x{height} {steps}: peak {peak:N0}, estimated {estimate.DeviceBytes:N0} (weights {estimate.WeightBytes:N0}, arena {estimate.ArenaBytes:N0}, workspace {estimate.WorkspaceBytes:N0}, spare {estimate.SpareBytes:N0}); staging {estimate.StagingBytes:N0}");
        Assert.Equal(peak, estimate.DeviceBytes);
        Assert.Equal(estimate.DeviceBytes, estimate.PeakBytes);
        Assert.Equal(estimate.StagingBytes + estimate.PictureBytes + estimate.ProgramBytes, estimate.HostBytes);
        Assert.True(estimate.WeightBytes > 0 && estimate.ArenaBytes > 0 && estimate.WorkspaceBytes > 0 && estimate.StagingBytes > 4 << 20);
        Assert.True(budget == 0 || estimate.DeviceBytes <= budget << 10);
    }

    internal static PainterOptions Options(string model, CudaOptions? options = null, long? budget = null) => new()
    {
        Model = model == "toy" ? ToyModel.Folder : Repository.TinyModel, Device = CudaDevice.At(0, options), Threads = 2, MemoryBudget = budget,
    };

    public void Dispose() => Emulator.Restore();
}
