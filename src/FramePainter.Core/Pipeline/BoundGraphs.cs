using FramePainter.Backends;
using FramePainter.Graphs;

namespace FramePainter.Pipeline;

/// <summary>Prologue and step of one graph, compiled, with a buffer for every value at their borders. Outputs of a step that carry a state share the buffer of the input they replace.</summary>
internal sealed class BoundGraphs : IDisposable
{
    readonly Dictionary<string, IDeviceBuffer> _buffers = new(StringComparer.Ordinal);
    readonly List<IDisposable> _owned = [];

    /// <summary>Compiles both and binds all their borders but the external ones.</summary>
    /// <param name="backend">Where they run.</param>
    /// <param name="weights">The weights.</param>
    /// <param name="plans">The plans.</param>
    /// <param name="external">Names of values that the caller binds.</param>
    /// <param name="shared">Buffers of others to use in place of own ones, by name; they outlive this.</param>
    public BoundGraphs(IBackend backend, IWeightStore weights, SplitPlan plans, ReadOnlySpan<string> external, params ReadOnlySpan<(string Name, IDeviceBuffer Buffer)> shared)
    {
        foreach (var (name, buffer) in shared)
        {
            _buffers.Add(name, buffer);
        }

        try
        {
            Prologue = Own(backend.Compile(plans.Prologue, weights));
            Step = Own(backend.Compile(plans.Step, weights));
            foreach (var executable in new[] { Prologue, Step })
            {
                var graph = executable.Plan.Graph;
                foreach (var value in graph.Inputs.Concat(graph.Outputs))
                {
                    if (external.Contains(value.Name))
                    {
                        continue;
                    }

                    var name = value.Name == Networks.NextLatents ? Networks.Latents : value.Name;
                    if (!_buffers.TryGetValue(name, out var buffer))
                    {
                        _buffers.Add(name, buffer = Own(backend.Allocate(value.Bytes)));
                    }

                    executable.Bind(value, buffer);
                }
            }
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    public IExecutable Prologue { get; }

    public IExecutable Step { get; }

    /// <summary>The buffer of a value at the borders.</summary>
    public IDeviceBuffer this[string name] => _buffers[name];

    public void Write(string name, ReadOnlySpan<float> values) => _buffers[name].Write(values);

    /// <summary>Writes a picture with what each of its 8-bit numbers becomes.</summary>
    public void Write(string name, ReadOnlySpan<byte> pixels, ReadOnlySpan<float> values) => _buffers[name].WritePicture(pixels, values);

    /// <summary>Writes an input that the graph may do without: inputs that nothing reads are no borders.</summary>
    public void WriteIfRead(string name, ReadOnlySpan<float> values)
    {
        if (_buffers.TryGetValue(name, out var buffer))
        {
            buffer.Write(values);
        }
    }

    public void Read(string name, Span<float> values, long byteOffset = 0) => _buffers[name].Read(values, byteOffset);

    public void Bind(string name, IDeviceBuffer buffer, long byteOffset)
    {
        foreach (var executable in (ReadOnlySpan<IExecutable>)[Prologue, Step])
        {
            var graph = executable.Plan.Graph;
            foreach (var value in graph.Inputs.AsSpan())
            {
                if (value.Name == name)
                {
                    executable.Bind(value, buffer, byteOffset);
                }
            }

            foreach (var value in graph.Outputs.AsSpan())
            {
                if (value.Name == name)
                {
                    executable.Bind(value, buffer, byteOffset);
                }
            }
        }
    }

    public void Dispose()
    {
        foreach (var owned in Enumerable.Reverse(_owned))
        {
            owned.Dispose();
        }

        _owned.Clear();
    }

    T Own<T>(T resource)
        where T : IDisposable
    {
        _owned.Add(resource);
        return resource;
    }
}
