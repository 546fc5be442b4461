using System.Runtime.InteropServices;
using FramePainter.Conformance;
using FramePainter.Graphs;

namespace FramePainter.Cuda.Tests;

/// <summary>The emulated machine as one of compute capability 9.0, which runs the kernels for sm_90a.</summary>
internal static partial class Hopper
{
    const string Library = "cuda-emulator";

    /// <summary>Products only, float16 inside: the other kernels are those of every device.</summary>
    /// <param name="lateTensors">Boxes of tensors arrive when somebody waits for them, not when they are asked for.</param>
    /// <param name="lateProducts">Products are made when their thread waits for them.</param>
    /// <param name="reverse">The last thread of a block runs first.</param>
    /// <param name="precision">What is multiplied.</param>
    /// <param name="inner">Values at the border of a plan are copied, so that ops see halves.</param>
    /// <param name="tuning">How products are made; null for every one by Hopper's kernels.</param>
    public static BackendProfile Profile(bool lateTensors, bool lateProducts, bool reverse, Precision precision = Precision.Float32, bool inner = true, CudaTuning? tuning = null) =>
        new($"CUDA, Hopper, {HalvesExtensions.Of(precision).ForPeople()}, tensors {(lateTensors ? "late" : "early")}, products {(lateProducts ? "late" : "early")}", () =>
            {
                Emulator.Order(deferred: true, reverse);
                Order(lateTensors ? 1 : 0, lateProducts ? 1 : 0);
                var backend = Open(tuning ?? HopperRun.Every, precision);
                return inner ? new InnerBackend(backend) : backend;
            }, Profiles.Halves(precision), BackendProfile.Float32)
        {
            Stored = Profiles.Halves(precision),
            Takes = c => Profiles.HasProduct(c) && Profiles.InRange(c, precision),
        };

    /// <summary>A backend on the emulated Hopper, or on what the driver has; other backends find the machine as it was.</summary>
    public static CudaBackend Open(CudaTuning tuning, Precision precision = Precision.Float32)
    {
        if (!Emulator.IsUsed)
        {
            return new CudaBackend(0, tuning, precision: precision);
        }

        Emulator.Machine(1, 12040, 9, 0, (nuint)8 << 30);
        try
        {
            return new CudaBackend(0, tuning, precision: precision);
        }
        finally
        {
            Emulator.Restore();
        }
    }

    /// <summary>When tensors arrive and products are made: 1 for late, 0 for early.</summary>
    public static void Order(int lateTensors, int lateProducts)
    {
        if (Emulator.IsUsed)
        {
            SetOrder(lateTensors, lateProducts);
        }
    }

    /// <summary>Products of warpgroups made so far; 0 for the driver, which does not say.</summary>
    public static nint Products() => Emulator.IsUsed ? CountProducts() : 0;

    [LibraryImport(Library, EntryPoint = "FP_EMULATOR_hopper_order")]
    private static partial void SetOrder(int lateTensors, int lateProducts);

    /// <summary>Lets warps of a warpgroup run apart, by delays that a seed draws; 0 for none.</summary>
    [LibraryImport(Library, EntryPoint = "FP_EMULATOR_hopper_lag")]
    public static partial void Lag(uint seed);

    /// <summary>Launches so far that might begin before those before them had ended.</summary>
    [LibraryImport(Library, EntryPoint = "FP_EMULATOR_early_launches")]
    public static partial nint EarlyLaunches();

    [LibraryImport(Library, EntryPoint = "FP_EMULATOR_tensor_products")]
    private static partial nint CountProducts();
}

/// <summary>Everything as late as its wait allows.</summary>
[Trait("Needs", "emulator")]
public sealed class HopperLateConformance() : ConformanceSuite(Hopper.Profile(lateTensors: true, lateProducts: true, reverse: false));

/// <summary>Tensors at once, products late, the last thread first: a stage that is given back too soon is written over.</summary>
[Trait("Needs", "emulator")]
public sealed class HopperMixedConformance() : ConformanceSuite(Hopper.Profile(lateTensors: false, lateProducts: true, reverse: true));

/// <summary>Tiles shared by blocks wherever they may be.</summary>
[Trait("Needs", "emulator")]
public sealed class HopperSharedConformance() : ConformanceSuite(Hopper.Profile(lateTensors: false, lateProducts: true, reverse: true, tuning: HopperRun.Tiles("shared")));
