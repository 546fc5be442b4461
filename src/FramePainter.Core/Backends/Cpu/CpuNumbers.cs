using FramePainter.Backends.Cpu.Jit;
using FramePainter.Backends.Cpu.Simd;

namespace FramePainter.Backends.Cpu;

/// <summary>In which numbers products are computed and their weights kept.</summary>
/// <param name="Precision">Numbers of the products.</param>
/// <param name="Weights">Numbers of the weights.</param>
internal sealed record CpuNumbers(Precision Precision = Precision.Float32, WeightFormat Weights = WeightFormat.AsStored)
{
    /// <summary>Float32, weights as stored.</summary>
    public static CpuNumbers Default { get; } = new();

    /// <summary>Kernels of bfloat16 to use instead of this machine's.</summary>
    public BrainSupport? Support { get; init; }

    /// <summary>Rounds the products too that <see cref="ProductNumbers.For"/> leaves in float32: for tests at small sizes.</summary>
    public bool NarrowToo { get; init; }

    /// <summary>Uses the compiled kernels where assembled ones are there too: what machines have whose host forbids executable pages.</summary>
    public bool CompiledOnly { get; init; }

    /// <summary>What tiles of assembled products are like; null for what suits this machine.</summary>
    public TileForm? Tiles { get; init; }
}
