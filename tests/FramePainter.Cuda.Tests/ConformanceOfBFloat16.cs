using FramePainter.Conformance;
using FramePainter.Graphs;

namespace FramePainter.Cuda.Tests;

/// <summary>The kernels compiled for bfloat16: also on data times 1e8 and 1e-12, which float16 does not hold.</summary>
internal static class BFloat16Profiles
{
    static readonly CudaTuning s_large = new(0, false);
    static readonly CudaTuning s_naive = new(double.PositiveInfinity, true);

    /// <summary>Elements of all values of a case that the default run takes.</summary>
    const long QuickElements = 10_000;

    /// <summary>Values inside: kernels read and write bfloat16. The default run leaves out large cases and epilogues.</summary>
    public static BackendProfile Inner
    {
        get
        {
            var profile = Of("bfloat16 values", true, CudaTuning.Default);
            return profile with { Takes = c => profile.Takes(c) && (Profiles.IsFull || (!Profiles.IsEpilogue(c) && Elements(c) < QuickElements)) };
        }
    }

    /// <summary>Values at the border: kernels read and write float32, products round their operands.</summary>
    public static BackendProfile Border => Profiles.OnlyInFull(Of("float32 values, products of bfloat16", false, CudaTuning.Default, inner: false));

    /// <summary>Every product on the largest tiles.</summary>
    public static BackendProfile Large => Products(Of("bfloat16, large tiles", true, s_large));

    /// <summary>The plain twins.</summary>
    public static BackendProfile Naive => Profiles.OnlyInFull(Of("bfloat16, naive twins", false, s_naive));

    /// <summary>Products and attention of warpgroups.</summary>
    public static BackendProfile Hopper => Products(Tests.Hopper.Profile(lateTensors: true, lateProducts: true, reverse: false, Precision.BFloat16));

    static BackendProfile Of(string name, bool deferred, CudaTuning tuning, bool inner = true) =>
        Profiles.Of(name, deferred, false, tuning, inner, Precision.BFloat16);

    static long Elements(BuiltCase built) => built.Graph.Inputs.Concat(built.Graph.Ops.SelectMany(op => op.Outputs)).Sum(v => (long)v.Shape.Count);

    static BackendProfile Products(BackendProfile profile) => Profiles.OnlyInFull(profile) with { Takes = c => profile.Takes(c) && Profiles.HasProduct(c) };
}

/// <summary>bfloat16 inside, copies as late as can be.</summary>
public sealed class BFloat16Conformance() : ConformanceSuite(BFloat16Profiles.Inner);

/// <summary>Float32 at the border, products of bfloat16.</summary>
public sealed class BFloat16BorderConformance() : ConformanceSuite(BFloat16Profiles.Border);

/// <summary>Large tiles of bfloat16.</summary>
public sealed class BFloat16LargeTileConformance() : ConformanceSuite(BFloat16Profiles.Large);

/// <summary>The naive twins in bfloat16.</summary>
public sealed class BFloat16NaiveConformance() : ConformanceSuite(BFloat16Profiles.Naive);

/// <summary>Hopper's kernels in bfloat16, everything as late as its wait allows.</summary>
[Trait("Needs", "emulator")]
public sealed class HopperBFloat16Conformance() : ConformanceSuite(BFloat16Profiles.Hopper);
