using FramePainter.Conformance;
using FramePainter.Graphs;

namespace FramePainter.Cuda.Tests;

/// <summary>
/// Hopper's products at sizes that go round its ring of stages, cover several tiles a block and end within a tile, in every order of
/// copies and products, against the double-precision oracle.
/// </summary>
public sealed class HopperProductTests : IDisposable
{
    /// <summary>Inputs, weights and results are rounded to float16, each by 2⁻¹¹ at most; a gate is rounded as often as its value.</summary>
    const double Bound = 4.0 / (1 << 11);

    static readonly Dictionary<string, OpCase> s_cases = new OpCase[]
    {
        Linear("several tiles", c => c.Graph.Linear(c.Data(1, 300, 328), c.Matrix(264, 328), c.Vector(264))),
        Linear("tiles of 160", c => c.Graph.Linear(c.Data(2, 90, 320), c.Matrix(320, 320), c.Vector(320))),
        Linear("two inputs that end within a step", c => c.Graph.Linear(new Operand(c.Data(1, 70, 72), c.Data(1, 70, 200)), c.Matrix(136, 272), c.Vector(136))),
        Linear("one step", c => c.Graph.Linear(c.Data(1, 5, 8), c.Matrix(12, 8), null)),
        Linear("every third image", c => c.Graph.Linear(c.Data(6, 40, 64), c.Matrix(48, 64), c.Vector(48), 3)),
        Linear("gated", c => Geglu(c, 160, 72)),
        Linear("gated narrow", c => Geglu(c, 67, 320)),
        Linear("residuals", c =>
        {
            var product = c.Graph.Linear(c.Data(4, 37, 80), c.Matrix(160, 80), c.Vector(160));
            Epilogues.Add(c, product, 14);
            return product;
        }),
        Linear("rows and residuals of an odd width", c =>
        {
            var product = c.Graph.Linear(c.Data(4, 37, 80), c.Matrix(37, 80), c.Vector(37));
            Epilogues.Add(c, product, 19);
            return product;
        }),
        new("picture", typeof(ConvOp), c => c.Graph.Output(c.Graph.Conv(c.Data(2, 11, 19, 72), c.Kernel(160, 72, 3, 3), c.Vector(160)), "out")),
        new("picture of two inputs", typeof(ConvOp), c => c.Graph.Output(
            c.Graph.Conv(new Operand(c.Data(1, 9, 18, 40), c.Data(1, 9, 18, 88)), c.Kernel(72, 128, 3, 3), c.Vector(72)), "out")),
        new("picture with unlike sides", typeof(ConvOp), c => c.Graph.Output(
            c.Graph.Conv(c.Data(3, 6, 5, 16), c.Kernel(24, 16, 5, 3), c.Vector(24), 1, new Padding(2, 0, 1, 2), kernel: (5, 3)), "out")),
        new("picture of stride 2", typeof(ConvOp), c => c.Graph.Output(c.Graph.Conv(c.Data(2, 23, 37, 72), c.Kernel(160, 72, 3, 3), c.Vector(160), 2), "out")),
        new("picture of stride 2 padded behind", typeof(ConvOp), c => c.Graph.Output(
            c.Graph.Conv(c.Data(1, 24, 18, 40), c.Kernel(48, 40, 3, 3), c.Vector(48), 2, new Padding(0, 0, 1, 1)), "out")),
        new("frames", typeof(TemporalConvOp), c => c.Graph.Output(c.Graph.TemporalConv(c.Data(6, 3, 7, 72), c.TemporalKernel(48, 72), c.Vector(48), 3), "out")),
    }.ToDictionary(c => c.Name);

    /// <summary>Cases in three orders: all late, tensors early and products late with threads backward, all early; a device has an order of its own.</summary>
    public static TheoryData<string, bool, bool, bool> Runs
    {
        get
        {
            var runs = new TheoryData<string, bool, bool, bool>();
            foreach (var name in s_cases.Keys)
            {
                runs.Add(name, true, true, false);
                runs.Add(new(name, false, true, true) { Traits = { ["Needs"] = ["emulator"] } });
                runs.Add(new(name, false, false, false) { Traits = { ["Needs"] = ["emulator"] } });
            }

            return runs;
        }
    }

    [Theory]
    [MemberData(nameof(Runs))]
    public void Computes_what_the_oracle_computes(string name, bool lateTensors, bool lateProducts, bool reverse)
    {
        var built = s_cases[name].Make();
        var want = Oracle.Run(built.Graph, built.Inputs.ToDictionary(p => p.Key, p => Array.ConvertAll(p.Value, x => (double)x)), built.Weights)[built.Graph.Outputs[0]];
        using var backend = Hopper.Profile(lateTensors, lateProducts, reverse).Create();
        using var run = new GuardedRun(backend, built);
        var before = Hopper.Products();
        var got = run.Run()[built.Graph.Outputs[0]];
        Assert.True(!Emulator.IsUsed || Hopper.Products() > before, "no product of warpgroups");
        Assert.Equal(want.Length, got.Length);
        var (error, size) = (0.0, 0.0);
        for (var i = 0; i < want.Length; i++)
        {
            error += Math.Pow(got[i] - want[i], 2);
            size += want[i] * want[i];
        }

        Assert.True(Math.Sqrt(error / size) <= Bound, $"{name}: {Math.Sqrt(error / size):E2}, allowed {Bound:E2}");
    }

    /// <summary>Where a device's multiprocessors would stand idle, small tiles of mma.sync run.</summary>
    [Trait("Needs", "emulator")]
    [Fact]
    public void Few_tiles_are_left_to_small_ones()
    {
        var built = s_cases["one step"].Make();
        using var backend = new InnerBackend(Hopper.Open(new CudaTuning(2, false)));
        using var run = new GuardedRun(backend, built);
        var before = Hopper.Products();
        run.Run();
        Assert.Equal(before, Hopper.Products());
    }

    /// <inheritdoc/>
    public void Dispose() => Emulator.Restore();

    static OpCase Linear(string name, Func<CaseBuilder, Value> build) => new(name, typeof(LinearOp), c => c.Graph.Output(build(c), "out"));

    static Value Geglu(CaseBuilder c, int half, int inputs)
    {
        var product = c.Graph.Linear(c.Data(2, 75, inputs), c.Matrix(2 * half, inputs), c.Vector(2 * half));
        c.Change(op => (LinearOp)op with
        {
            Epilogue = new Epilogue { Activation = Activation.Geglu },
            Outputs = [new Value(op.Output.Id, op.Output.Name, op.Output.Shape.WithChannels(half), op.Output.Rate)],
        });
        return product;
    }
}
