using System.Globalization;
using System.Text.RegularExpressions;

namespace FramePainter.Cuda.Tests;

/// <summary>An edit that does not fit the device's budget is refused before it begins, and the size that is named instead runs within it. Memory alone: kernels are not run.</summary>
[Trait("Needs", "emulator")]
public sealed partial class BudgetTests : IDisposable
{
    static readonly EditOptions s_large = new() { Steps = 2, Size = (1024, 512) };

    public BudgetTests()
    {
        Emulator.Restore();
        Emulator.Idle(1);
    }

    public void Dispose() => Emulator.Restore();

    /// <summary>The painter's budget in MiB (0 for none), the device's own, and the matrices' share of that.</summary>
    [Theory]
    [InlineData(40, 0, 0)]
    [InlineData(0, 30, 2)]
    [InlineData(32, 64, 2)]
    public void An_edit_that_cannot_fit_is_refused_before_it_begins_and_the_size_that_is_named_runs(int budget, int own, int share)
    {
        var device = own > 0 ? new CudaOptions { MemoryBudget = (long)own << 20, WeightMemory = (long)share << 20 } : null;
        using var painter = Painter.Load(EstimateTests.Options("tiny", device, budget > 0 ? (long)budget << 20 : null));
        var limit = (long)(budget > 0 ? budget : own) << 20;
        _ = Emulator.Peak(0);
        var launches = Emulator.Launches();
        var error = Assert.Throws<PlanException>(() => Edit(painter, s_large));
        Assert.Equal(launches, Emulator.Launches());
        Assert.Contains("An edit at 1024×512 takes ", error.Message, StringComparison.Ordinal);
        Assert.Contains("of the device's memory (weights ", error.Message, StringComparison.Ordinal);
        Assert.Contains($"the memory budget is {limit >> 20} MiB", error.Message, StringComparison.Ordinal);
        var size = Named(error);
        TestContext.Current.SendDiagnosticMessage(error.Message);
        Assert.InRange(size.Width, 128, 960);

        // Whatever ran before, what is named fits: other sizes leave other blocks behind.
        foreach (var (width, height) in new[] { size, (64, 64), (size.Height, size.Width), size, (128, 64), size })
        {
            Assert.NotNull(Edit(painter, s_large with { Size = (width, height) }).Edited);
        }

        var peak = (long)Emulator.Peak(0);
        Assert.True(peak <= limit, $"{peak} bytes at most, with a budget of {limit}");

        // It is the largest: the next of this shape is refused.
        Assert.Throws<PlanException>(() => Edit(painter, s_large with { Size = Next(size) }));
    }

    [Fact]
    public void A_session_keeps_its_denoiser_and_still_fits()
    {
        using var painter = Painter.Load(EstimateTests.Options("tiny", budget: 40 << 20));
        EditSession Open() => painter.Open(PainterTests.Picture());
        (int, int) size;
        using (var session = Open())
        {
            size = Named(Assert.Throws<PlanException>(() => session.Edit(PainterTests.Sketch(), s_large)));
            for (var seed = 0; seed < 2; seed++)
            {
                session.Edit(PainterTests.Sketch(), s_large with { Size = size, Seed = seed });
            }

            var error = Assert.Throws<PlanException>(() => Edit(painter, s_large with { Size = size }));
            Assert.Contains("other edits and open sessions hold", error.Message, StringComparison.Ordinal);
        }

        Assert.NotNull(Edit(painter, s_large with { Size = size }));
    }

    [Fact]
    public void A_budget_below_the_smallest_edit_is_refused_before_weights_are_packed()
    {
        _ = Emulator.Peak(0);
        var error = Assert.Throws<PlanException>(() => Painter.Load(EstimateTests.Options("tiny", budget: 2 << 20)));
        Assert.Contains("Not even an edit at 64×64 fits the memory budget of 2 MiB: it takes ", error.Message, StringComparison.Ordinal);
        Assert.Equal(0, (long)Emulator.Peak(0));
    }

    static EditResult Edit(Painter painter, EditOptions options) => painter.Edit(PainterTests.Picture(), PainterTests.Sketch(), options, TestContext.Current.CancellationToken);

    static (int Width, int Height) Next((int Width, int Height) size) => (size.Width + 64, (int)Math.Round((size.Width + 64) / 128.0, MidpointRounding.ToEven) * 64);

    static (int Width, int Height) Named(PlanException error)
    {
        var match = LargestSize().Match(error.Message);
        Assert.True(match.Success, error.Message);
        return (int.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture), int.Parse(match.Groups[2].Value, CultureInfo.InvariantCulture));
    }

    [GeneratedRegex("largest size of this shape that fits is ([0-9]+)×([0-9]+)", RegexOptions.None, matchTimeoutMilliseconds: 10_000)]
    private static partial Regex LargestSize();
}
