using FramePainter.Graphs;

namespace FramePainter.Backends;

/// <summary>Memory of one executable.</summary>
/// <param name="Arena">Bytes for the values inside the plan.</param>
/// <param name="Scratch">Bytes that its kernels want beside them.</param>
public readonly record struct PlanMemory(long Arena, long Scratch);

/// <summary>Tells what plans would take on a device, without a weight being read or memory being taken. Not thread-safe.</summary>
public interface IPlanMeter
{
    /// <summary>Bytes of the packed weights of all plans measured so far.</summary>
    long WeightBytes { get; }

    /// <summary>The most that weights took at once while they were packed, with what they are packed from.</summary>
    long PackingBytes { get; }

    /// <summary>What an executable of a plan takes; its weights count from then on.</summary>
    /// <param name="plan">The plan.</param>
    PlanMemory Measure(Plan plan);
}
