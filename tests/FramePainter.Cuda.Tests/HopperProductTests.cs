using FramePainter.Conformance;
using FramePainter.Cuda.Kernels;
using FramePainter.Graphs;

namespace FramePainter.Cuda.Tests;

/// <summary>
/// Hopper's products at sizes that go round its ring of stages, cover several tiles a block and end within a tile, in every order of
/// copies and products, against the double-precision oracle.
/// </summary>
public sealed class HopperProductTests : IDisposable
{
    /// <summary>Inputs, weights and results are rounded to halves, each once; a gate is rounded as often as its value.</summary>
    const double Roundings = 4;

    static readonly Dictionary<string, OpCase> s_cases = new OpCase[]
    {
        Linear("several tiles", c => c.Graph.Linear(c.Data(1, 300, 328), c.Matrix(264, 328), c.Vector(264))),
        Linear("tiles of 160", c => c.Graph.Linear(c.Data(2, 90, 320), c.Matrix(320, 320), c.Vector(320))),
        Linear("two inputs that end within a step", c => c.Graph.Linear(new Operand(c.Data(1, 70, 72), c.Data(1, 70, 200)), c.Matrix(136, 272), c.Vector(136))),
        Linear("one step", c => c.Graph.Linear(c.Data(1, 5, 8), c.Matrix(16, 8), null)),
        Linear("every third image", c => c.Graph.Linear(c.Data(6, 40, 64), c.Matrix(48, 64), c.Vector(48), 3)),
        Linear("odd tiles of rows", c => c.Graph.Linear(c.Data(1, 600, 328), c.Matrix(320, 328), c.Vector(320))),
        Linear("gated", c => Geglu(c, 160, 72)),
        Linear("gated narrow", c => Geglu(c, 72, 320)),
        Linear("residuals", c =>
        {
            var product = c.Graph.Linear(c.Data(4, 37, 80), c.Matrix(160, 80), c.Vector(160));
            Epilogues.Add(c, product, 10);
            return product;
        }),
        Linear("rows and residuals", c =>
        {
            var product = c.Graph.Linear(c.Data(4, 37, 80), c.Matrix(40, 80), c.Vector(40));
            Epilogues.Add(c, product, 19);
            return product;
        }),
        Linear("gated with residuals", c =>
        {
            var product = c.Graph.Linear(c.Data(3, 45, 80), c.Matrix(320, 80), c.Vector(320));
            Epilogues.Add(c, product, 11);
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
        new("doubled picture", typeof(ConvOp), c => c.Graph.Output(c.Graph.Conv(c.Data(2, 7, 13, 72), c.Kernel(160, 72, 3, 3), c.Vector(160), upsample: true), "out")),
        Linear("slices", c => c.Graph.Linear(c.Data(1, 100, 1400), c.Matrix(160, 1400), c.Vector(160))),
        Linear("slices behind whole tiles", c => c.Graph.Linear(c.Data(1, 100, 1288), c.Matrix(480, 1288), c.Vector(480))),
        Linear("slices with residuals", c =>
        {
            var product = c.Graph.Linear(c.Data(3, 31, 1600), c.Matrix(128, 1600), c.Vector(128));
            Epilogues.Add(c, product, 10);
            return product;
        }),
        Linear("slices of odd tiles of rows", c => c.Graph.Linear(c.Data(1, 300, 1288), c.Matrix(160, 1288), c.Vector(160))),
        Linear("few steps, several tiles of a warpgroup", c => c.Graph.Linear(c.Data(1, 1920, 168), c.Matrix(160, 168), c.Vector(160))),
        new("slices without steps", typeof(ConvOp), c => c.Graph.Output(
            c.Graph.Conv(c.Data(1, 1, 128, 64), c.Kernel(160, 64, 21, 1), c.Vector(160), 1, new Padding(10, 0, 10, 0), kernel: (21, 1)), "out")),
        new("slices of a picture", typeof(ConvOp), c => c.Graph.Output(c.Graph.Conv(c.Data(1, 5, 9, 328), c.Kernel(64, 328, 3, 3), c.Vector(64)), "out")),
        new("two frames", typeof(TemporalConvOp), c => c.Graph.Output(c.Graph.TemporalConv(c.Data(4, 9, 15, 136), c.TemporalKernel(48, 136), c.Vector(48), 2), "out")),
        new("frames a tile wide", typeof(TemporalConvOp), c => c.Graph.Output(c.Graph.TemporalConv(c.Data(4, 8, 16, 72), c.TemporalKernel(48, 72), c.Vector(48), 2), "out")),
        new("frames two tiles wide", typeof(TemporalConvOp), c => c.Graph.Output(c.Graph.TemporalConv(c.Data(6, 16, 16, 72), c.TemporalKernel(48, 72), c.Vector(48), 3), "out")),
        new("frames", typeof(TemporalConvOp), c => c.Graph.Output(c.Graph.TemporalConv(c.Data(6, 3, 7, 72), c.TemporalKernel(48, 72), c.Vector(48), 3), "out")),
    }.ToDictionary(c => c.Name);

    /// <summary>Cases in their orders.</summary>
    public static TheoryData<string, Precision, bool, bool, bool> Runs => HopperRun.Orders(s_cases.Keys);

    [Theory]
    [MemberData(nameof(Runs))]
    public void Computes_what_the_oracle_computes(string name, Precision precision, bool lateTensors, bool lateProducts, bool reverse) =>
        HopperRun.Check(s_cases[name], precision, Roundings, lateTensors, lateProducts, reverse);

    /// <summary>The cases with kinds of tiles.</summary>
    public static TheoryData<string, string, Precision> KindsOfTiles => HopperRun.KindsOfTiles(s_cases.Keys);

    /// <summary>Every kind of tiles, where a product suits it.</summary>
    [Theory]
    [MemberData(nameof(KindsOfTiles))]
    public void Any_tiles_compute_it(string name, string tiles, Precision precision) =>
        HopperRun.Check(s_cases[name], precision, Roundings, lateTensors: false, lateProducts: true, reverse: true, tuning: HopperRun.Tiles(tiles));

    /// <summary>The cases by seeds.</summary>
    public static TheoryData<string, uint> Lags => HopperRun.Lags(s_cases.Keys);

    /// <summary>The cases with kinds of tiles, by seeds.</summary>
    public static TheoryData<string, string, uint> LagsOfTiles => HopperRun.LagsOfTiles(s_cases.Keys);

    [Trait("Needs", "emulator")]
    [Theory]
    [MemberData(nameof(Lags))]
    public void Warps_may_run_apart(string name, uint seed) => HopperRun.CheckLagging(s_cases[name], Roundings, seed);

    [Trait("Needs", "emulator")]
    [Theory]
    [MemberData(nameof(LagsOfTiles))]
    public void Warps_may_run_apart_on_any_tiles(string name, string tiles, uint seed) => HopperRun.CheckLagging(s_cases[name], Roundings, seed, tuning: HopperRun.Tiles(tiles));

    [Trait("Needs", "emulator")]
    [Theory]
    [InlineData("slices", "shared", "hopper_product_128x160")]
    [InlineData("several tiles", "shared", "hopper_product_128x128")]
    [InlineData("slices", "wide", "hopper_product_128x192")]
    [InlineData("slices", "short", "hopper_product_64x160")]
    [InlineData("gated", "wide", "hopper_product_128x160")]
    [InlineData("few steps, several tiles of a warpgroup", "short", "hopper_product_128x160")]
    public void Tiles_are_of_the_kind_that_is_asked_for_where_it_suits(string name, string tiles, string kernel)
    {
        var built = s_cases[name].Make();
        using var backend = new InnerBackend(Hopper.Open(HopperRun.Tiles(tiles)));
        using var store = backend.CreateStore(built.Weights);
        using var executable = (CudaExecutable)backend.Compile(Planner.Plan(built.Graph), store);
        Assert.Contains(kernel, executable.Launches.Select(l => l.Kernel));
    }

    /// <summary>Linear maps of the U-Net, most at 576×1024 and 512×512, on the 132 multiprocessors of an H100.</summary>
    [Theory]
    [InlineData(36864, 320, 5, "hopper_product_128x160")]
    [InlineData(2304, 1280, 20, "hopper_product_128x192")]
    [InlineData(2304, 10240, 20, "hopper_product_128x160")]
    [InlineData(1024, 1280, 20, "hopper_product_64x160")]
    [InlineData(1024, 1280, 80, "hopper_product_64x160")]
    [InlineData(1024, 1280, 180, "hopper_product_128x160")]
    [InlineData(4096, 512, 8, "hopper_product_128x128")]
    public void Tiles_are_those_that_end_first(int rows, int columns, int steps, string kernel) =>
        Assert.Equal(kernel, LaunchList.Tiling.Of(LaunchList.RowsGrid(rows), columns, steps, activates: false, 132, CudaTuning.Default).Kind.Name);

    /// <summary>The widest have no activations, and a block has one tile of a kind with one warpgroup.</summary>
    [Fact]
    public void Tiles_that_do_not_suit_are_not_taken()
    {
        var rows = LaunchList.RowsGrid(2304);
        Assert.Equal(LaunchList.TileKind.Usual, LaunchList.Tiling.Of(rows, 1280, 20, activates: true, 132, CudaTuning.Default).Kind);
        Assert.Equal(LaunchList.TileKind.Usual, LaunchList.Tiling.Of(rows, 1280, 20, activates: false, 125, HopperRun.Tiles("wide")).Kind);
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

    /// <summary>Tiles that are left when every multiprocessor has had as many as the others are shared, where that saves time.</summary>
    [Theory]
    [InlineData(576, 45, 132, 528, 48, 2)]
    [InlineData(40, 180, 132, 0, 40, 3)]
    [InlineData(144, 80, 132, 132, 12, 5)]
    [InlineData(576, 5, 132, 576, 0, 1)]
    [InlineData(264, 80, 132, 264, 0, 1)]
    [InlineData(64, 20, 132, 64, 0, 1)]
    [InlineData(1, 2, 132, 1, 0, 1)]
    public void The_last_tiles_are_shared(int tiles, int steps, int multiprocessors, int whole, int shared, int slices)
    {
        var shares = LaunchList.TileShares.Of(tiles, steps, LaunchList.TileKind.Usual.StepTime, multiprocessors);
        Assert.Equal((whole, shared, slices), (shares.Whole, shares.Shared, shares.Slices));
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
