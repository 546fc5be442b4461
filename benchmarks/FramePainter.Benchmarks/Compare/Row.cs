namespace FramePainter.Benchmarks.Compare;

/// <summary>One row of the table.</summary>
/// <param name="Name">The case.</param>
/// <param name="Flops">Operations of its products; 0 where it has none.</param>
/// <param name="Ours">Median seconds of our run.</param>
/// <param name="Peer">Median seconds of the peer's run.</param>
/// <param name="Ratio">Median of the rounds' peer/ours: above 1 ours is faster.</param>
/// <param name="OfCeiling">Median of the rounds' share of the ceiling that was measured in the same round.</param>
/// <param name="Difference">Relative L2 distance of the two results.</param>
internal sealed record Row(string Name, double Flops, double Ours, double Peer, double Ratio, double OfCeiling, double Difference);
