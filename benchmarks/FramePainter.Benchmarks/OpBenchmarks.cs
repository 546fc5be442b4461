using BenchmarkDotNet.Attributes;
using FramePainter.Benchmarks.Cases;
using FramePainter.Benchmarks.Engines;

namespace FramePainter.Benchmarks;

/// <summary>Both engines on the cases of one group, under BenchmarkDotNet; ONNX Runtime is the baseline.</summary>
public abstract class OpBenchmarks
{
    EnginePair _engines = null!;

    private protected abstract CaseGroup Group { get; }

    /// <summary>Names of the group's cases.</summary>
    public IEnumerable<string> Names => RealShapes.Of(Group).Select(c => c.Name);

    /// <summary>The case.</summary>
    [ParamsSource(nameof(Names))]
    public string Case { get; set; } = "";

    /// <summary>Threads of each engine.</summary>
    [Params(1, 2)]
    public int Threads { get; set; }

    /// <summary>Builds both engines.</summary>
    [GlobalSetup]
    public void Setup() => _engines = new EnginePair(RealShapes.All.First(c => c.Name == Case), Threads);

    /// <summary>Gives both back.</summary>
    [GlobalCleanup]
    public void Cleanup() => _engines.Dispose();

    /// <summary>Our CPU backend.</summary>
    [Benchmark]
    public void FramePainter() => _engines.Ours.Run();

    /// <summary>The peer.</summary>
    [Benchmark(Baseline = true)]
    public void OnnxRuntime() => _engines.Peer.Run();
}

/// <summary>Linear layers and attention projections.</summary>
public class LinearBenchmarks : OpBenchmarks
{
    private protected override CaseGroup Group => CaseGroup.Linear;
}

/// <summary>3×3 convolutions.</summary>
public class ConvolutionBenchmarks : OpBenchmarks
{
    private protected override CaseGroup Group => CaseGroup.Convolution;
}

/// <summary>Attention with and without matching heads.</summary>
public class AttentionBenchmarks : OpBenchmarks
{
    private protected override CaseGroup Group => CaseGroup.Attention;
}

/// <summary>Norms with their activation.</summary>
public class NormBenchmarks : OpBenchmarks
{
    private protected override CaseGroup Group => CaseGroup.Norm;
}

/// <summary>Whole ResNet and transformer blocks.</summary>
public class BlockBenchmarks : OpBenchmarks
{
    private protected override CaseGroup Group => CaseGroup.Block;
}
