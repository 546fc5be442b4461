using FramePainter.Backends;
using FramePainter.Backends.Cpu;
using FramePainter.Core.Tests.Engine;
using FramePainter.Core.Tests.Support;
using FramePainter.Graphs;
using FramePainter.Pipeline;
using FramePainter.Tensors;
using FramePainter.Weights;

namespace FramePainter.Cuda.Tests;

/// <summary>How the rounding of halves adds up over the U-Net, block by block: see docs/numerics.md, "A whole network in halves".</summary>
public sealed class PrecisionTests
{
    /// <summary>Size of the perturbation that sensitivity is taken from: far above float32's rounding, far below what bends a network.</summary>
    const double Move = 1.0 / (1 << 14);

    const int Draws = 4;

    /// <summary>Golden calls of the U-Net.</summary>
    public static TheoryData<int> Calls => [.. Enumerable.Range(0, GoldenCase.OfKind("unet").Count)];

    [Theory]
    [MemberData(nameof(Calls))]
    public void Every_block_of_the_U_Net_errs_as_its_sensitivity_says(int call)
    {
        Emulator.Order(deferred: true, reverse: false);
        using var checkpoint = Checkpoint.Open(Repository.TinyModel);
        using var cpu = new CpuBackend(2);
        var network = GoldenUNet.Of(GoldenCase.OfKind("unet")[call], checkpoint);
        var sums = network.Graph.Ops.Where(op => op is ProductOp { Epilogue.Residuals.Length: > 0 }).SelectMany(op => op.Outputs).Where(v => !network.Graph.Outputs.Contains(v)).ToArray();
        var names = network.Graph.Ops.SelectMany(op => op.Outputs.Select(o => (o, op.Name))).ToDictionary(p => p.o, p => p.Name);
        (Value Inner, Value Copy)[] shown = [.. network.Show(sums), (network.Noise, network.Noise)];
        var want = network.Run(cpu, checkpoint);
        var moved = Enumerable.Range(0, Draws).Select(draw => network.Run(cpu, new PerturbedWeights(checkpoint, draw, Move))).ToArray();
        var sensitivities = shown.Select(s => Math.Sqrt(moved.Average(m => Math.Pow(GoldenTests.RelativeL2(want[s.Copy], m[s.Copy]), 2))) / Move).ToArray();
        foreach (var precision in Enum.GetValues<Precision>().Where(p => !GoldenTests.IsBrief(p)))
        {
            using var cuda = new CudaBackend(0, CudaTuning.Default, precision: precision);
            var got = network.Run(cuda, checkpoint);
            var u = Profiles.Halves(precision);
            var errors = shown.Select(s => GoldenTests.RelativeL2(want[s.Copy], got[s.Copy])).ToArray();
            var ratios = errors.Zip(sensitivities, (error, sensitivity) => error / (sensitivity * u)).ToArray();
            TestContext.Current.SendDiagnosticMessage(
                $"{precision}: {shown.Length} sums; error over S·u from {ratios.Min():F2} to {ratios.Max():F2}; U-Net {errors[^1]:E2}, S {sensitivities[^1]:F2}");
            Assert.All(shown, (s, i) => Assert.True(ratios[i] <= Math.Sqrt(3), $"{precision}, {names[s.Inner]}: relative L2 {errors[i]:E2}, sensitivity {sensitivities[i]:F2}"));
            Assert.True(sensitivities[^1] * u * Math.Sqrt(3) <= GoldenTests.NetworkBound(precision), "the bound of the golden tests is no less than the derived one");
        }
    }

    [Fact]
    public void An_edit_errs_as_its_sensitivity_says()
    {
        const int Side = 128;
        Emulator.Order(deferred: true, reverse: false);
        using var checkpoint = Checkpoint.Open(Repository.TinyModel);
        using var cpu = new CpuBackend(2);
        var want = Edit(cpu, checkpoint, checkpoint, Side);
        var moved = Enumerable.Range(0, Draws).Select(draw => GoldenTests.RelativeL2(want, Edit(cpu, checkpoint, new PerturbedWeights(checkpoint, draw, Move), Side)) / Move);
        var sensitivity = Math.Sqrt(moved.Average(m => m * m));
        foreach (var precision in Enum.GetValues<Precision>().Where(p => !GoldenTests.IsBrief(p)))
        {
            using var cuda = new CudaBackend(0, CudaTuning.Default, precision: precision);
            var u = Profiles.Halves(precision);
            var error = GoldenTests.RelativeL2(want, Edit(cuda, checkpoint, checkpoint, Side));
            TestContext.Current.SendDiagnosticMessage($"edit, {precision}: latents' error {error:E2}, S {sensitivity:F2}, error over S·u {error / (sensitivity * u):F2}");
            Assert.InRange(error, 1e-5, Math.Sqrt(3) * sensitivity * u);
        }
    }

    static float[] Edit(IBackend backend, Checkpoint checkpoint, IWeightSource source, int side)
    {
        using var weights = backend.CreateStore(source);
        using var pipeline = new EditPipeline(checkpoint, backend, weights, AttentionKind.Matching);
        using var picture = new PictureCache(PainterTests.Picture());
        var options = new EditOptions { Steps = Emulator.IsUsed && !Profiles.IsFull ? 1 : 2, Size = (side, side), Draws = DrawPrecision.Float32 };
        return [.. pipeline.Edit(picture, PainterTests.Sketch(), options, TestContext.Current.CancellationToken).Latents];
    }
}

/// <summary>Weights, each element multiplied by 1 + size·δ with δ uniform in [−1, 1].</summary>
internal sealed class PerturbedWeights(IWeightSource source, int draw, double size) : IWeightSource
{
    public IWeightHandle Open(string name)
    {
        using var handle = source.Open(name);
        var values = handle.View.ToArray();
        var random = new Random(name.Aggregate(draw, (hash, c) => unchecked((hash * 31) + c)));
        for (var i = 0; i < values.Length; i++)
        {
            values[i] *= (float)(1 + (size * ((2 * random.NextDouble()) - 1)));
        }

        var memory = new NativeBuffer((long)values.Length * sizeof(float));
        values.CopyTo(memory.Span<float>(0, values.Length));
        return new Handle(memory, handle.View with { Type = DType.F32, Address = Address(memory) });
    }

    static unsafe nint Address(NativeBuffer memory) => (nint)memory.Pointer;

    sealed class Handle(NativeBuffer memory, TensorView view) : IWeightHandle
    {
        public TensorView View => view;

        public void Dispose() => memory.Dispose();
    }
}
