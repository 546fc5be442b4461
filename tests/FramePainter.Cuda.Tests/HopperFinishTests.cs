using FramePainter.Conformance;
using FramePainter.Graphs;

namespace FramePainter.Cuda.Tests;

/// <summary>
/// What Hopper's products do besides multiplying: statistics of the group norm behind them, and values at the border of a plan, which are
/// float32 and do not pass through a tile in shared memory.
/// </summary>
public sealed class HopperFinishTests : IDisposable
{
    /// <summary>As for a product, and two more of the norm's input and output.</summary>
    const double NormRoundings = 6;

    const double Roundings = 4;

    const string Part = "moments_part_8";

    static readonly Dictionary<string, OpCase> s_norms = new OpCase[]
    {
        Norm("picture, a set of one image, edges within tiles", 32, 1, c => c.Graph.Conv(c.Data(1, 9, 14, 40), c.Kernel(320, 40, 3, 3), c.Vector(320))),
        Norm("picture, two tiles an image", 32, 1, c => c.Graph.Conv(c.Data(2, 16, 16, 16), c.Kernel(320, 16, 3, 3), c.Vector(320, 3))),
        Norm("picture, tiles over both frames", 32, 2, c => c.Graph.Conv(c.Data(2, 8, 20, 16), c.Kernel(320, 16, 3, 3), c.Vector(320))),
        Norm("picture of stride 2", 16, 1, c => c.Graph.Conv(c.Data(1, 20, 30, 16), c.Kernel(160, 16, 3, 3), c.Vector(160), 2)),
        Norm("rows, groups of two lanes", 32, 1, c => c.Graph.Linear(c.Data(2, 128, 72), c.Matrix(640, 72), c.Vector(640))),
        Norm("rows, groups of four lanes", 32, 1, c => c.Graph.Linear(c.Data(1, 128, 40), c.Matrix(1280, 40), null)),
        Norm("rows, tiles of 128 columns", 16, 1, c => c.Graph.Linear(c.Data(1, 200, 40), c.Matrix(256, 40), c.Vector(256))),
        Norm("rows of both frames", 32, 2, c => c.Graph.Linear(c.Data(4, 64, 40), c.Matrix(320, 40), c.Vector(320))),
        Norm("frames", 32, 2, c => c.Graph.TemporalConv(c.Data(2, 8, 18, 16), c.TemporalKernel(320, 16), c.Vector(320), 2)),
        Norm("slices", 16, 1, c => c.Graph.Linear(c.Data(1, 128, 1400), c.Matrix(160, 1400), c.Vector(160))),
    }.ToDictionary(c => c.Name);

    /// <summary>Sets or groups that do not consist of whole tiles, and an input that is read beside another.</summary>
    static readonly Dictionary<string, OpCase> s_apart = new OpCase[]
    {
        Norm("images within a tile", 32, 1, c => c.Graph.Linear(c.Data(4, 32, 40), c.Matrix(320, 40), c.Vector(320))),
        Norm("groups across lanes", 64, 1, c => c.Graph.Linear(c.Data(1, 128, 40), c.Matrix(320, 40), c.Vector(320))),
        new("beside another", typeof(GroupNormOp), c =>
        {
            var product = c.Graph.Linear(c.Data(1, 128, 40), c.Matrix(320, 40), c.Vector(320));
            c.Graph.Output(c.Graph.GroupNorm(new Operand(product, c.Data(1, 128, 320)), c.Vector(640), c.Vector(640), 32, 1e-5f), "out");
        }),
    }.ToDictionary(c => c.Name);

    static readonly Dictionary<string, OpCase> s_borders = new OpCase[]
    {
        new("float32 out", typeof(LinearOp), c => c.Graph.Output(c.Graph.Linear(Inner(c, 1, 150, 72), c.Matrix(168, 72), c.Vector(168)), "out")),
        new("residuals of float32 and of halves", typeof(LinearOp), c =>
        {
            var halves = Inner(c, 2, 70, 160);
            var product = c.Graph.Linear(Inner(c, 2, 70, 72), c.Matrix(160, 72), c.Vector(160));
            Finish(c, product, [new Residual(c.Data(2, 70, 160), new MixScale(0.5f)), new Residual(halves, new MixScale(-1.5f))], Activation.Silu, new RowTable(c.Data(2, 160)));
            c.Graph.Output(product, "out");
        }),
        new("residual of halves, out of float32", typeof(ConvOp), c =>
        {
            var halves = Inner(c, 2, 7, 11, 136);
            var product = c.Graph.Conv(Inner(c, 2, 7, 11, 24), c.Kernel(136, 24, 3, 3), c.Vector(136));
            Finish(c, product, [new Residual(halves, MixScale.One)], Activation.Relu, null);
            c.Graph.Output(product, "out");
        }),
        new("residual of halves, out of float32, several tiles of a warpgroup", typeof(LinearOp), c =>
        {
            var halves = Inner(c, 4, 320, 128);
            var product = c.Graph.Linear(Inner(c, 4, 320, 72), c.Matrix(128, 72), c.Vector(128));
            Finish(c, product, [new Residual(halves, MixScale.One)], Activation.None, null);
            c.Graph.Output(product, "out");
        }),
        new("float32 residual, halves out", typeof(LinearOp), c =>
        {
            var product = c.Graph.Linear(Inner(c, 2, 70, 72), c.Matrix(160, 72), c.Vector(160));
            Finish(c, product, [new Residual(c.Data(2, 70, 160), new MixScale(2))], Activation.None, null);
            c.Graph.Output(c.Graph.Activate(product, Activation.Relu), "out");
        }),
    }.ToDictionary(c => c.Name);

    /// <summary>Cases with a norm behind the product, in their orders.</summary>
    public static TheoryData<string, Precision, bool, bool, bool> Norms => HopperRun.Orders(s_norms.Keys);

    /// <summary>The same whose norms take their own statistics.</summary>
    public static TheoryData<string> Apart => [.. s_apart.Keys];

    /// <summary>Cases with values at the border, in their orders.</summary>
    public static TheoryData<string, Precision, bool, bool, bool> Borders => HopperRun.Orders(s_borders.Keys);

    [Theory]
    [MemberData(nameof(Norms))]
    public void A_product_takes_the_statistics_of_the_norm_behind_it(string name, Precision precision, bool lateTensors, bool lateProducts, bool reverse)
    {
        HopperRun.Check(s_norms[name], precision, NormRoundings, lateTensors, lateProducts, reverse);
        Assert.DoesNotContain(Part, Kernels(s_norms[name]));
    }

    /// <summary>Cases with a norm on kinds of tiles.</summary>
    public static TheoryData<string, string, Precision> KindsOfTiles => HopperRun.KindsOfTiles(s_norms.Keys);

    [Theory]
    [MemberData(nameof(KindsOfTiles))]
    public void Any_tiles_serve_the_norm_behind_them(string name, string tiles, Precision precision) =>
        HopperRun.Check(s_norms[name], precision, NormRoundings, lateTensors: false, lateProducts: true, reverse: true, tuning: HopperRun.Tiles(tiles));

    [Theory]
    [MemberData(nameof(Apart))]
    public void Other_norms_take_their_own(string name)
    {
        HopperRun.Check(s_apart[name], Precision.Float32, NormRoundings, true, true, false);
        Assert.Contains(Part, Kernels(s_apart[name]));
    }

    [Theory]
    [MemberData(nameof(Borders))]
    public void Values_at_the_border_are_float32(string name, Precision precision, bool lateTensors, bool lateProducts, bool reverse) =>
        HopperRun.Check(s_borders[name], precision, Roundings, lateTensors, lateProducts, reverse, inner: false);

    /// <summary>The cases with a norm, by seeds.</summary>
    public static TheoryData<string, uint> NormLags => HopperRun.Lags(s_norms.Keys);

    /// <summary>The cases with a norm on kinds of tiles, by seeds.</summary>
    public static TheoryData<string, string, uint> NormLagsOfTiles => HopperRun.LagsOfTiles(s_norms.Keys);

    /// <summary>The cases with values at the border, by seeds.</summary>
    public static TheoryData<string, uint> BorderLags => HopperRun.Lags(s_borders.Keys);

    [Trait("Needs", "emulator")]
    [Theory]
    [MemberData(nameof(NormLags))]
    public void Warps_may_run_apart(string name, uint seed) => HopperRun.CheckLagging(s_norms[name], NormRoundings, seed);

    [Trait("Needs", "emulator")]
    [Theory]
    [MemberData(nameof(NormLagsOfTiles))]
    public void Warps_may_run_apart_on_any_tiles(string name, string tiles, uint seed) => HopperRun.CheckLagging(s_norms[name], NormRoundings, seed, tuning: HopperRun.Tiles(tiles));

    [Trait("Needs", "emulator")]
    [Theory]
    [MemberData(nameof(BorderLags))]
    public void Warps_may_run_apart_at_the_border(string name, uint seed) => HopperRun.CheckLagging(s_borders[name], Roundings, seed, inner: false);

    /// <inheritdoc/>
    public void Dispose() => Emulator.Restore();

    static OpCase Norm(string name, int groups, int frames, Func<CaseBuilder, Value> product) => new(name, typeof(GroupNormOp), c =>
    {
        var x = product(c);
        c.Graph.Output(c.Graph.GroupNorm(x, c.Vector(x.Shape.Channels, 1, 0.3), c.Vector(x.Shape.Channels), groups, 1e-5f, frames), "out");
    });

    /// <summary>Data inside the plan: halves.</summary>
    static Value Inner(CaseBuilder c, params ReadOnlySpan<long> extents) => c.Graph.Activate(c.Data(extents), Activation.Relu);

    static void Finish(CaseBuilder c, Value product, Residual[] residuals, Activation activation, RowTable? rows) => c.Change(op => op is ProductOp of && of.Output.Id == product.Id
        ? of with { Epilogue = new Epilogue { Activation = activation, Rows = rows, Scale = new MixScale(0.5f), Residuals = [.. residuals] } } : op);

    static IEnumerable<string> Kernels(OpCase test)
    {
        var built = test.Make();
        using var backend = new InnerBackend(Hopper.Open(new CudaTuning(0, false)));
        using var store = backend.CreateStore(built.Weights);
        using var executable = (CudaExecutable)backend.Compile(Planner.Plan(built.Graph), store);
        return [.. executable.Launches.Select(l => l.Kernel)];
    }
}
