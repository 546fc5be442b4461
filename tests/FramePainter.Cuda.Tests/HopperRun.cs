using FramePainter.Conformance;

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

    /// <summary>Names with whether blocks go in pairs, and the seeds of the delays that warps are held back by.</summary>
    public static TheoryData<string, bool, uint> Lags(IEnumerable<string> names, bool pairs)
    {
        var seeds = Profiles.IsFull ? 8u : 1;
        var runs = new TheoryData<string, bool, uint>();
        foreach (var name in names)
        {
            for (var seed = 1u; seed <= seeds; seed++)
            {
                runs.Add(name, false, seed);
                if (pairs)
                {
                    runs.Add(name, true, seed);
                }
            }
        }

        return runs;
    }

    /// <summary><see cref="Check"/> while warps run apart, as a device's may: tensors early and products late, so that what is given back too soon is written over.</summary>
    public static void CheckLagging(OpCase one, double roundings, uint seed, bool inner = true, bool pairs = false)
    {
        Hopper.Lag(seed);
        try
        {
            Check(one, Precision.Float32, roundings, lateTensors: false, lateProducts: true, reverse: false, inner, pairs);
        }
        finally
        {
            Hopper.Lag(0);
        }
    }

    /// <summary>Fails where the relative L2 of the result is beyond so many roundings of halves, or where no warpgroup multiplied.</summary>
    public static void Check(OpCase one, Precision precision, double roundings, bool lateTensors, bool lateProducts, bool reverse, bool inner = true, bool pairs = false)
    {
        var bound = roundings * Profiles.Halves(precision);
        var built = one.Make();
        var want = Oracle.Run(built.Graph, built.Inputs.ToDictionary(p => p.Key, p => Array.ConvertAll(p.Value, x => (double)x)), built.Weights)[built.Graph.Outputs[0]];
        using var backend = Hopper.Profile(lateTensors, lateProducts, reverse, precision, inner, pairs).Create();
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

        Assert.True(Math.Sqrt(error / size) <= bound, $"{one.Name}: {Math.Sqrt(error / size):E2}, allowed {bound:E2}");
    }
}
