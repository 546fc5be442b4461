using FramePainter.Conformance;

namespace FramePainter.Ilgpu.Tests;

/// <summary>The suite on PoCL.</summary>
public sealed class PoclConformance() : ConformanceSuite(
    new BackendProfile("ILGPU on PoCL", () => Pocl.Shared, 0, BackendProfile.Float32) { Absence = () => Pocl.Absence });

/// <summary>The suite on PoCL with all matrices rounded to halves.</summary>
public sealed class PoclHalfConformance() : ConformanceSuite(
    new BackendProfile("ILGPU on PoCL, weights as halves", () => Pocl.SharedHalf, BackendProfile.Float16, BackendProfile.Float32)
    {
        Absence = () => Pocl.Absence,
        Takes = built => built.Graph.Ops.Any(op => op is FramePainter.Graphs.ProductOp),
    });

/// <summary>The suite on PoCL with values inside plans as halves.</summary>
public sealed class PoclInnerConformance() : ConformanceSuite(
    new BackendProfile("ILGPU on PoCL, activations as halves", () => new InnerBackend(Pocl.SharedInner), BackendProfile.Float16, BackendProfile.Float32)
    {
        Absence = () => Pocl.Absence,
        Stored = BackendProfile.Float16,
        Takes = InnerBackend.InRange,
    });

/// <summary>The suite on ILGPU's stand-in, whose every thread of a group is a thread of the system: the smallest cases of each op.</summary>
public sealed class StandInConformance() : ConformanceSuite(
    new BackendProfile("ILGPU on its processor stand-in", () => new IlgpuBackend(IlgpuDevice.Cpu), 0, BackendProfile.Float32)
    {
        Takes = built => s_smallest.Value.Contains(built.Case.Name),
    })
{
    static readonly Lazy<HashSet<string>> s_smallest = new(() =>
        [.. OpCases.All.Values.Where(c => c.Op is not null).Select(c => c.Make())
            .Where(b => Elements(b) > 12).GroupBy(b => b.Case.Op).SelectMany(g => g.OrderBy(Elements).Take(3)).Select(b => b.Case.Name)]);

    static double Elements(BuiltCase built) => (built.Graph.Flops / 100) + built.Graph.Ops.Sum(op => op.Output.Shape.Count);
}
