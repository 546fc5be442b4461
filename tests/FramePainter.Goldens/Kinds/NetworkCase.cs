using FramePainter.Backends;
using FramePainter.Graphs;
using FramePainter.Model;
using FramePainter.Weights;

namespace FramePainter.Goldens;

/// <summary>A case that runs a network or a block of one: writes the graph, gives it the case's tensors, runs it.</summary>
internal sealed class NetworkCase(GoldenCase golden, IBackend backend)
{
    readonly Dictionary<Value, float[]> _given = [];
    readonly List<string> _pictures = [];

    public GoldenCase Golden => golden;

    public GraphBuilder Graph { get; } = new();

    /// <summary>The module that the case names.</summary>
    public Module Prefix => new(golden.Args.GetProperty("prefix").GetString()!);

    /// <summary>An input <c>[N, C, H, W]</c>, or <c>[B, F, C, H, W]</c> with batch and frames merged.</summary>
    public Value Picture(string name)
    {
        var tensor = golden.Inputs[name];
        if (tensor.Shape.Length == 5)
        {
            tensor = tensor.As([tensor.Shape[0] * tensor.Shape[1], .. tensor.Shape[2..]]);
        }

        var s = tensor.Shape;
        return Give(Graph.Input(name, Rate.Edit, s[0], s[2], s[3], s[1]), tensor.ChannelsLast());
    }

    /// <summary>An input whose channels are innermost already: tokens, tables.</summary>
    public Value Plain(string name) => Give(Graph.Input(name, Rate.Edit, golden.Inputs[name].Shape), golden.Inputs[name].Floats());

    /// <summary>A table <c>[N, C]</c> from <c>[N, 1, C]</c>.</summary>
    public Value Rows(string name)
    {
        var s = golden.Inputs[name].Shape;
        return Give(Graph.Input(name, Rate.Edit, s[0], s[^1]), golden.Inputs[name].Floats());
    }

    /// <summary>Numbers that are no input of the case.</summary>
    public Value Numbers(string name, params float[] values) => Give(Graph.Input(name, Rate.Edit, values.Length), values);

    public TransformerInputs Transformer(AttentionKind kind, int frames = 2) =>
        new(kind, Rows("context"), Numbers("frame_index", [.. Enumerable.Range(0, frames).Select(f => (float)f)]));

    /// <summary>Declares an output <c>[N, H, W, C]</c> that goes back channels first.</summary>
    public void PictureOutput(Value value, string name)
    {
        _pictures.Add(name);
        Graph.Output(value, name);
    }

    /// <summary>Runs the graph with the model's weights, or with none.</summary>
    public Dictionary<string, GoldenTensor> Run(Checkpoint? checkpoint)
    {
        var graph = FuseEpilogues.Run(Graph.Build(golden.Name));
        using var weights = backend.CreateStore(checkpoint!);
        using var executable = backend.Compile(Planner.Plan(graph), weights);
        var buffers = new Dictionary<Value, IDeviceBuffer>();
        try
        {
            foreach (var value in graph.Inputs.Concat(graph.Outputs))
            {
                buffers.Add(value, backend.Allocate(value.Bytes));
                executable.Bind(value, buffers[value]);
                if (_given.TryGetValue(value, out var given))
                {
                    buffers[value].Write(given);
                }
            }

            executable.Run();
            return graph.Outputs.ToDictionary(v => v.Name, v =>
            {
                var values = new float[v.Shape.Count];
                buffers[v].Read(values);
                return _pictures.Contains(v.Name) ? GoldenTensor.ChannelsFirst(v, values) : GoldenTensor.Of(v.Shape, values);
            }, StringComparer.Ordinal);
        }
        finally
        {
            foreach (var buffer in buffers.Values)
            {
                buffer.Dispose();
            }
        }
    }

    Value Give(Value value, float[] values)
    {
        _given.Add(value, values);
        return value;
    }
}
