using FramePainter.Backends.Cpu;
using FramePainter.Benchmarks.Cases;
using FramePainter.Benchmarks.Peer;
using FramePainter.Graphs;

namespace FramePainter.Benchmarks.Engines;

/// <summary>Both engines on one case, with the same weights and inputs.</summary>
internal sealed class EnginePair : IDisposable
{
    readonly RandomWeights _weights;

    /// <param name="benchmark">The case.</param>
    /// <param name="threads">Threads of each engine.</param>
    /// <param name="precision">Ours in bfloat16 has ours in float32 as its peer; in float32 it has ONNX Runtime.</param>
    public EnginePair(BenchmarkCase benchmark, int threads, Precision precision = Precision.Float32)
    {
        var (graph, peerGraph) = (benchmark.Graph(), benchmark.PeerGraph());
        _weights = new RandomWeights(graph, peerGraph);
        var prepared = PreparedGraph.Of(graph, _weights);
        Graph = prepared.Step;
        Ours = new CpuEngine(prepared, _weights, new CpuBackend(threads, numbers: new CpuNumbers(precision, WeightFormat.AsStored)));
        Peer = precision == Precision.BFloat16 ? new CpuEngine(prepared, _weights, new CpuBackend(threads)) : new OnnxEngine(PreparedGraph.Of(peerGraph, _weights), _weights, threads, benchmark.WriteExported is null ? AttentionForm.Fused : AttentionForm.SpelledOut);
    }

    /// <summary>What ours computes in a run.</summary>
    public Graph Graph { get; }

    public IEngine Ours { get; }

    public IEngine Peer { get; }

    public void Dispose()
    {
        Ours.Dispose();
        Peer.Dispose();
        _weights.Dispose();
    }
}
