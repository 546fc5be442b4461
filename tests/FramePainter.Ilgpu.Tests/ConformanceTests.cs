using FramePainter.Conformance;

namespace FramePainter.Ilgpu.Tests;

/// <summary>The suite on PoCL.</summary>
public sealed class PoclConformance() : ConformanceSuite(
    new BackendProfile("ILGPU on PoCL", Pocl.Create, 0, BackendProfile.Float32) { Absence = () => Pocl.Absence });

/// <summary>The suite on PoCL with all matrices rounded to halves.</summary>
public sealed class PoclHalfConformance() : ConformanceSuite(
    new BackendProfile("ILGPU on PoCL, weights as halves", () => Pocl.Create(new IlgpuOptions { Weights = WeightStorage.Half }), 1.0 / (1 << 11), BackendProfile.Float32)
    {
        Absence = () => Pocl.Absence,
        Takes = built => built.Graph.Ops.Any(op => op is FramePainter.Graphs.ProductOp),
    });

/// <summary>The suite on ILGPU's stand-in, whose every thread of a group is a thread of the system: small cases only.</summary>
public sealed class StandInConformance() : ConformanceSuite(
    new BackendProfile("ILGPU on its processor stand-in", () => new IlgpuBackend(IlgpuDevice.Cpu), 0, BackendProfile.Float32)
    {
        Takes = built => built.Terms < 600 && built.Graph.Flops < 1e4 && built.Graph.Ops.Sum(op => op.Output.Shape.Count) < 600,
    });
