using FramePainter.Conformance;
using FramePainter.Core.Tests.Engine;
using FramePainter.Graphs;

namespace FramePainter.Cuda.Tests;

/// <summary>Weights that stay on the host under a budget and are copied ahead of their use.</summary>
public sealed class StreamingTests : IDisposable
{
    static readonly EditOptions s_options = new() { Steps = 2, Size = (64, 64), Draws = DrawPrecision.Float32 };

    public StreamingTests() => Emulator.Restore();

    /// <summary>Graphs of several products, in every order of streams, with all matrices streamed and with some.</summary>
    public static TheoryData<string, Pace, int> Cases()
    {
        var data = new TheoryData<string, Pace, int>();
        foreach (var name in new[] { "transformer", "block" })
        {
            foreach (var pace in Enum.GetValues<Pace>())
            {
                foreach (var residentPercent in new[] { 0, 50 })
                {
                    var row = new TheoryDataRow<string, Pace, int>(name, pace, residentPercent);
                    // A device's streams keep a pace of their own.
                    data.Add(pace == Pace.AtOnce ? row : row.WithTrait("Needs", "emulator"));
                }
            }
        }

        return data;
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Results_are_the_same_bits_recorded_or_not(string name, Pace pace, int residentPercent)
    {
        var built = OpCases.All[name].Make();
        var live = Emulator.Live();
        Dictionary<Value, float[]> want;
        long all;
        using (var backend = CudaBackend.Open())
        {
            using var run = new GuardedRun(backend, built);
            want = run.Run();
        }

        using (var backend = CudaBackend.Open(0, new CudaOptions { MemoryBudget = 64 << 20, WeightMemory = 0 }))
        {
            using var run = new GuardedRun(backend, built);
            all = ((CudaExecutable)run.Executable).StreamedBytes;
            Assert.True(all > 0);
        }

        Emulator.Streams(pace);
        using (var backend = CudaBackend.Open(0, new CudaOptions { MemoryBudget = 64 << 20, WeightMemory = all * residentPercent / 100 }))
        {
            using var run = new GuardedRun(backend, built);
            var streamed = ((CudaExecutable)run.Executable).StreamedBytes;
            Assert.True(streamed > 0 && streamed >= all * (100 - residentPercent) / 100, $"{streamed} of {all} bytes are streamed");
            var replays = Emulator.IsUsed ? Emulator.GraphLaunches() : 0;
            for (var i = 0; i < 3; i++)
            {
                foreach (var (value, got) in run.Run())
                {
                    Bits.AssertEqual(want[value], got, $"{value}, run {i}");
                }
            }

            Assert.True(!Emulator.IsUsed || Emulator.GraphLaunches() == replays + 2, "copies and launches are recorded together, and replayed");
        }

        Assert.Equal(live, Emulator.Live());
    }

    [Trait("Needs", "emulator")]
    [Theory]
    [InlineData(Pace.Late)]
    [InlineData(Pace.Early)]
    public void An_edit_with_half_of_the_weights_on_the_host_is_the_same_and_stays_below_the_budget(Pace pace)
    {
        Assert.SkipUnless(pace == Pace.Early || Profiles.IsFull, "Set FRAMEPAINTER_FULL=1 to run whole edits in every order of streams.");
        EditResult want;
        long weights, peak;
        _ = Emulator.Peak(0);
        using (var painter = PainterTests.Load(CudaDevice.At(0)))
        {
            want = painter.Edit(PainterTests.Picture(), PainterTests.Sketch(), s_options, TestContext.Current.CancellationToken);
            weights = painter.WeightBytes;
            peak = (long)Emulator.Peak(0);
        }

        var budget = peak - (weights / 2);
        CudaBackend? backend = null;
        var device = Device.Custom("budget", () => backend = CudaBackend.Open(0, new CudaOptions { MemoryBudget = budget, WeightMemory = weights / 4 }));
        Emulator.Streams(pace);
        _ = Emulator.Peak(0);
        using (var painter = PainterTests.Load(device))
        {
            var got = painter.Edit(PainterTests.Picture(), PainterTests.Sketch(), s_options, TestContext.Current.CancellationToken);
            Assert.Equal(want.Latents, got.Latents);
            Assert.Equal(want.Edited.Pixels, got.Edited.Pixels);
            Assert.True(painter.WeightBytes <= weights / 2, $"{painter.WeightBytes} of {weights} bytes of weights are on the device");
            peak = (long)Emulator.Peak(0);
            Assert.True(peak <= budget, $"{peak} bytes at most, with a budget of {budget}");
            Assert.Equal(peak, backend!.PeakBytes);
            Assert.True(backend.HeldBytes <= peak);
            TestContext.Current.SendDiagnosticMessage($"weights {weights}, budget {budget}, peak {peak}, on the device {painter.WeightBytes}");
        }
    }

    [Trait("Needs", "emulator")]
    [Fact]
    public void An_edit_that_does_not_fit_the_budget_says_what_it_takes_and_a_smaller_one_still_runs()
    {
        using var painter = PainterTests.Load(CudaDevice.At(0, new CudaOptions { MemoryBudget = 12 << 20, WeightMemory = 0 }));
        var error = Assert.Throws<PlanException>(() => painter.Edit(PainterTests.Picture(), PainterTests.Sketch(), s_options with { Size = (512, 512) }, TestContext.Current.CancellationToken));
        Assert.Contains("An edit at 512×512 takes ", error.Message, StringComparison.Ordinal);
        Assert.Contains("and the memory budget is 12 MiB.", error.Message, StringComparison.Ordinal);
        Assert.NotNull(painter.Edit(PainterTests.Picture(), PainterTests.Sketch(), s_options with { Steps = 1 }, TestContext.Current.CancellationToken).Edited);
    }

    [Trait("Needs", "emulator")]
    [Fact]
    public void Too_little_pinned_memory_is_named_and_nothing_is_left()
    {
        var live = Emulator.Live();
        var built = OpCases.All["transformer"].Make();
        using (var backend = CudaBackend.Open(0, new CudaOptions { MemoryBudget = 64 << 20 }))
        {
            using var store = backend.CreateStore(built.Weights);
            Emulator.Fail("cuMemAllocHost_v2", 2, 1);
            var error = Assert.Throws<PlanException>(() => backend.Compile(Planner.Plan(built.Graph), store));
            Assert.Contains("of pinned memory for weights of CUDA device 0", error.Message, StringComparison.Ordinal);
            Emulator.Fail(null, 0, 0);
            backend.Compile(Planner.Plan(built.Graph), store).Dispose();
        }

        Assert.Equal(live, Emulator.Live());
    }

    public void Dispose() => Emulator.Restore();
}
