using FramePainter.Conformance;
using TileKind = FramePainter.Cuda.Kernels.LaunchList.TileKind;

namespace FramePainter.Cuda.Tests;

/// <summary>Runs one case on the emulated Hopper and holds it to the double-precision oracle.</summary>
internal static class HopperRun
{
    /// <summary>
    /// Names in three orders: all late, and tensors early and products late, both with threads backward; all early. In bfloat16 in the second alone. A device has an order of its own.
    /// </summary>
    public static TheoryData<string, Precision, bool, bool, bool> Orders(IEnumerable<string> names)
    {
        var runs = new TheoryData<string, Precision, bool, bool, bool>();
        foreach (var name in names)
        {
            runs.Add(name, Precision.Float32, true, true, true);
            runs.Add(new(name, Precision.Float32, false, true, true) { Traits = { ["Needs"] = ["emulator"] } });
            runs.Add(new(name, Precision.Float32, false, false, false) { Traits = { ["Needs"] = ["emulator"] } });
            runs.Add(name, Precision.BFloat16, false, true, true);
        }

        return runs;
    }

    /// <summary>How every product's tiles can be made to be: shared wherever they may be, and of the kinds of which a block has one.</summary>
    static readonly Dictionary<string, CudaTuning> s_tiles = new()
    {
        ["shared"] = Every with { HopperTiles = TileKind.Usual, HopperJointTime = 0, HopperQueryGroups = 3 },
        ["wide"] = Every with { HopperTiles = TileKind.Wide },
        ["short"] = Every with { HopperTiles = TileKind.Short },
    };

    /// <summary>Every product by Hopper's kernels, however small.</summary>
    public static CudaTuning Every => new(0, false);

    /// <summary>The tuning of that name.</summary>
    public static CudaTuning Tiles(string name) => s_tiles[name];

    /// <summary>Names with those of <see cref="Tiles"/>; in bfloat16 in one of their orders alone.</summary>
    public static TheoryData<string, string, Precision> KindsOfTiles(IEnumerable<string> names) => KindsOfTiles(names, s_tiles.Keys);

    /// <summary>Names with other kinds of tiles.</summary>
    public static TheoryData<string, string, Precision> KindsOfTiles(IEnumerable<string> names, IReadOnlyCollection<string> kinds)
    {
        var runs = new TheoryData<string, string, Precision>();
        foreach (var (name, tiles) in names.SelectMany(_ => kinds, (name, tiles) => (name, tiles)))
        {
            runs.Add(name, tiles, Precision.Float32);
            runs.Add(name, tiles, Precision.BFloat16);
        }

        return runs;
    }

    /// <summary>Names with the seeds of the delays that warps are held back by.</summary>
    public static TheoryData<string, uint> Lags(IEnumerable<string> names) => Seeds(names, (runs, name, seed) => runs.Add(name, seed), new TheoryData<string, uint>());

    /// <summary>The same with those of <see cref="Tiles"/>.</summary>
    public static TheoryData<string, string, uint> LagsOfTiles(IEnumerable<string> names) => LagsOfTiles(names, s_tiles.Keys);

    /// <summary>The same with other kinds of tiles.</summary>
    public static TheoryData<string, string, uint> LagsOfTiles(IEnumerable<string> names, IReadOnlyCollection<string> kinds) => Seeds(
        names.SelectMany(_ => kinds, (name, tiles) => (name, tiles)), (runs, one, seed) => runs.Add(one.name, one.tiles, seed), new TheoryData<string, string, uint>());

    static TRuns Seeds<T, TRuns>(IEnumerable<T> ones, Action<TRuns, T, uint> add, TRuns runs)
    {
        var seeds = Profiles.IsFull ? 8u : 1;
        foreach (var one in ones)
        {
            for (var seed = 1u; seed <= seeds; seed++)
            {
                add(runs, one, seed);
            }
        }

        return runs;
    }

    /// <summary><see cref="Check"/> while warps run apart, as a device's may: tensors early and products late, so that what is given back too soon is written over.</summary>
    public static void CheckLagging(OpCase one, double roundings, uint seed, bool inner = true, CudaTuning? tuning = null)
    {
        Hopper.Lag(seed);
        try
        {
            Check(one, Precision.Float32, roundings, lateTensors: false, lateProducts: true, reverse: false, inner, tuning);
        }
        finally
        {
            Hopper.Lag(0);
        }
    }

    /// <summary>Fails where the relative L2 of the result is beyond so many roundings of halves, or where no warpgroup multiplied.</summary>
    public static void Check(OpCase one, Precision precision, double roundings, bool lateTensors, bool lateProducts, bool reverse, bool inner = true, CudaTuning? tuning = null)
    {
        var bound = roundings * Profiles.Halves(precision);
        var built = one.Make();
        var want = Oracle.Run(built.Graph, built.Inputs.ToDictionary(p => p.Key, p => Array.ConvertAll(p.Value, x => (double)x)), built.Weights)[built.Graph.Outputs[0]];
        using var backend = Hopper.Profile(lateTensors, lateProducts, reverse, precision, inner, tuning).Create();
        using var run = new GuardedRun(backend, built);
        if (tuning is not null)
        {
            // A run before: what slices count must be as it was.
            run.Poison();
        }

        // A device that these kernels are for, and that does not take them, would pass by those for sm_80.
        Assert.DoesNotContain("the driver refuses the kernels", backend.Description, StringComparison.Ordinal);
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

        Assert.True(Math.Sqrt(error / size) <= bound, $"{one.Name}: {Math.Sqrt(error / size):E2}, allowed {bound:E2}");
    }
}
