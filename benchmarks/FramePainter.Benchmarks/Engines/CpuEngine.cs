using FramePainter.Backends;
using FramePainter.Backends.Cpu;
using FramePainter.Benchmarks.Cases;
using FramePainter.Graphs;

namespace FramePainter.Benchmarks.Engines;

/// <summary>Our own CPU backend; disposes it with itself.</summary>
internal sealed class CpuEngine : IEngine
{
    readonly CpuBackend _backend;
    readonly IWeightStore _store;
    readonly IExecutable _executable;
    readonly Graph _graph;
    readonly Dictionary<Value, IDeviceBuffer> _buffers = [];

    public CpuEngine(PreparedGraph prepared, RandomWeights weights, CpuBackend backend)
    {
        _backend = backend;
        _store = _backend.CreateStore(weights);
        _graph = FuseEpilogues.Run(prepared.Step);
        _executable = _backend.Compile(Planner.Plan(_graph), _store);
        foreach (var value in _graph.Inputs.Concat(_graph.Outputs))
        {
            _buffers[value] = _backend.Allocate(value.Bytes);
            _executable.Bind(value, _buffers[value]);
            if (prepared.Inputs.TryGetValue(value, out var given))
            {
                _buffers[value].Write(given);
            }
        }
    }

    public void Run() => _executable.Run();

    public float[] Read() => Read(_graph.Output("y"));

    /// <summary>Any output of the last run.</summary>
    public float[] Read(Value output)
    {
        var values = new float[output.Shape.Count];
        _buffers[output].Read(values);
        return values;
    }

    public void Dispose()
    {
        foreach (var buffer in _buffers.Values)
        {
            buffer.Dispose();
        }

        _executable.Dispose();
        _store.Dispose();
        _backend.Dispose();
    }
}
