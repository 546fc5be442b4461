using FramePainter.Conformance;
using FramePainter.Graphs;

namespace FramePainter.Cuda.Tests;

/// <summary>How exactly the kernels compute: see docs/cuda.md, "Precision".</summary>
internal static class Profiles
{
    /// <summary>Unit roundoff of bfloat16.</summary>
    public const double BFloat16 = 1.0 / (1 << 8);

    static readonly CudaTuning s_large = new(0, false);
    static readonly CudaTuning s_small = new(double.PositiveInfinity, false);
    static readonly CudaTuning s_naive = new(double.PositiveInfinity, true);
    static readonly CudaTuning s_manyBlocks = CudaTuning.Default with { NormBlocks = 80 };

    /// <summary>Whether all is to run, as long as it takes.</summary>
    public static bool IsFull { get; } = Environment.GetEnvironmentVariable("FRAMEPAINTER_FULL") == "1";

    /// <summary>Values at the border: kernels read and write float32.</summary>
    public static BackendProfile Border(bool deferred, bool reverse) => OnlyInFull(Of("float32 values", deferred, reverse, CudaTuning.Default, inner: false));

    /// <summary>Values inside: kernels read and write float16.</summary>
    public static BackendProfile Inner(bool deferred, bool reverse) => Of("float16 values", deferred, reverse, CudaTuning.Default, inner: true);

    /// <summary>Values inside, kernels with barriers and copies alone: for other orders of threads and copies.</summary>
    public static BackendProfile Ordered(bool deferred, bool reverse) => OnlyInFull(Inner(deferred, reverse)) with { Takes = c => InRange(c) && HasOrder(c) && !IsEpilogue(c) };

    /// <summary>Every product on the largest tiles.</summary>
    public static BackendProfile Large(bool deferred, bool reverse) => OnlyInFull(Of("large tiles", deferred, reverse, s_large, inner: true)) with { Takes = c => InRange(c) && HasProduct(c) && !IsEpilogue(c) };

    /// <summary>Every product on the smallest tiles.</summary>
    public static BackendProfile Small(bool deferred, bool reverse) => Of("small tiles", deferred, reverse, s_small, inner: true) with { Takes = c => InRange(c) && HasProduct(c) && !IsEpilogue(c) };

    /// <summary>The plain twins of products and attention.</summary>
    public static BackendProfile Naive => OnlyInFull(Of("naive twins", false, false, s_naive, inner: true)) with
    {
        Takes = c => InRange(c) && c.Graph.Ops.Any(op => op is ProductOp or AttentionOp or TemporalAttentionOp or GroupNormOp or LayerNormOp) && !IsEpilogue(c),
    };

    /// <summary>Means and variances of many small chunks, more than a warp has lanes.</summary>
    public static BackendProfile ManyChunks => Of("norms in many blocks", true, false, s_manyBlocks, inner: true) with { Takes = c => InRange(c) && c.Case.Op == typeof(GroupNormOp) };

    /// <summary>The default run takes float16 values with late copies; the other orders, tiles and twins take minutes each.</summary>
    public static BackendProfile OnlyInFull(BackendProfile profile) => profile with
    {
        Absence = () => IsFull ? null : "Set FRAMEPAINTER_FULL=1 to run every order, tile size and twin.",
    };

    /// <summary>A profile by its choices.</summary>
    public static BackendProfile Of(string name, bool deferred, bool reverse, CudaTuning tuning, bool inner, Precision precision = Precision.Float32) =>
        new($"CUDA, {name}, {(deferred ? "deferred" : "eager")} copies, threads {(reverse ? "backward" : "forward")}", () =>
            {
                Emulator.Order(deferred, reverse);
                var backend = KeptBackend.Open(tuning, precision);
                return inner ? new InnerBackend(backend) : backend;
            }, Halves(precision), BackendProfile.Float32)
        {
            Stored = inner ? Halves(precision) : BackendProfile.Float32,
            Takes = c => InRange(c, precision) || (!inner && !HasProduct(c)),
        };

    /// <summary>Unit roundoff of the halves of a precision.</summary>
    public static double Halves(Precision precision) => precision == Precision.BFloat16 ? BFloat16 : BackendProfile.Float16;

    static bool HasOrder(BuiltCase built) => built.Graph.Ops.Any(op => op is ProductOp or AttentionOp or AttentionProbabilitiesOp or GroupNormOp);

    /// <summary>Epilogues are the same code for all tiles and orders.</summary>
    public static bool IsEpilogue(BuiltCase built) => built.Case.Name.Contains("epilogue", StringComparison.Ordinal);

    public static bool HasProduct(BuiltCase built) => built.Graph.Ops.Any(op => op is ProductOp);

    /// <summary>
    /// Numbers beyond float16's range become infinite, and those far below it zero: no network's values are there. bfloat16 has float32's range; but a softmax of
    /// scores of 1e16 is a choice of one key, which any rounding of queries and keys may turn.
    /// </summary>
    public static bool InRange(BuiltCase built, Precision precision = Precision.Float32) =>
        precision == Precision.BFloat16
            ? built.Case.Adversity != Adversity.Huge || !built.Graph.Ops.Any(op => op is AttentionOp or AttentionProbabilitiesOp or TemporalAttentionOp)
            : InnerBackend.InRange(built);
}

/// <summary>Float32 at the border, copies as early as can be.</summary>
public sealed class BorderConformance() : ConformanceSuite(Profiles.Border(deferred: false, reverse: false));

/// <summary>Float16 inside, copies as late as can be.</summary>
public sealed class InnerConformance() : ConformanceSuite(Profiles.Inner(deferred: true, reverse: false));

/// <summary>Float16 inside, copies as early as can be, the last thread first.</summary>
public sealed class InnerReverseConformance() : ConformanceSuite(Profiles.Ordered(deferred: false, reverse: true));

/// <summary>Large tiles, copies as late as can be, the last thread first.</summary>
public sealed class LargeTileConformance() : ConformanceSuite(Profiles.Large(deferred: true, reverse: true));

/// <summary>Large tiles, copies as early as can be.</summary>
public sealed class LargeTileEagerConformance() : ConformanceSuite(Profiles.Large(deferred: false, reverse: false));

/// <summary>Small tiles, copies as late as can be.</summary>
public sealed class SmallTileConformance() : ConformanceSuite(Profiles.Small(deferred: true, reverse: false));

/// <summary>The naive twins.</summary>
public sealed class NaiveConformance() : ConformanceSuite(Profiles.Naive);

/// <summary>Group norms in many chunks.</summary>
public sealed class ManyChunksConformance() : ConformanceSuite(Profiles.ManyChunks);
