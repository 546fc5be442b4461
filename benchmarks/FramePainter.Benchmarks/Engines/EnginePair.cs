using FramePainter.Backends.Cpu;
using FramePainter.Benchmarks.Cases;
using FramePainter.Benchmarks.Peer;
using FramePainter.Graphs;

namespace FramePainter.Benchmarks.Engines;

/// <summary>Both engines on one case, with the same weights and inputs.</summary>
internal sealed class EnginePair : IDisposable
{
    readonly RandomWeights _weights;

    public EnginePair(BenchmarkCase benchmark, int threads)
    {
        var (graph, peerGraph) = (benchmark.Graph(), benchmark.PeerGraph());
        _weights = new RandomWeights(graph, peerGraph);
        var prepared = PreparedGraph.Of(graph, _weights);
        Graph = prepared.Step;
        Ours = new CpuEngine(prepared, _weights, new CpuBackend(threads));
        Peer = new OnnxEngine(PreparedGraph.Of(peerGraph, _weights), _weights, threads, benchmark.WriteExported is null ? AttentionForm.Fused : AttentionForm.SpelledOut);
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
