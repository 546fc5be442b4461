using FramePainter.Backends;
using FramePainter.Backends.Cpu;
using FramePainter.Benchmarks.Cases;
using FramePainter.Graphs;

namespace FramePainter.Benchmarks.Engines;

/// <summary>Our own CPU backend.</summary>
internal sealed class CpuEngine : IEngine
{
    readonly CpuBackend _backend;
    readonly IWeightStore _store;
    readonly IExecutable _executable;
    readonly List<IDeviceBuffer> _buffers = [];
    readonly Value _output;
    readonly IDeviceBuffer _result;

    public CpuEngine(Graph graph, RandomWeights weights, int threads)
    {
        _backend = new CpuBackend(threads);
        _store = _backend.CreateStore(weights);
        var fused = FuseEpilogues.Run(graph);
        _executable = _backend.Compile(Planner.Plan(fused), _store);
        foreach (var input in fused.Inputs)
        {
            Bind(input).Write(RandomInputs.For(input));
        }

        _output = fused.Output("y");
        _result = Bind(_output);
    }

    public void Run() => _executable.Run();

    public float[] Read()
    {
        var values = new float[_output.Shape.Count];
        _result.Read(values);
        return values;
    }

    public void Dispose()
    {
        _buffers.ForEach(b => b.Dispose());
        _executable.Dispose();
        _store.Dispose();
        _backend.Dispose();
    }

    IDeviceBuffer Bind(Value value)
    {
        var buffer = _backend.Allocate(value.Bytes);
        _buffers.Add(buffer);
        _executable.Bind(value, buffer);
        return buffer;
    }
}
