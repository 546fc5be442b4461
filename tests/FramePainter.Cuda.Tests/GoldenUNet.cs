using System.Runtime.InteropServices;
using FramePainter.Backends;
using FramePainter.Core.Tests.Support;
using FramePainter.Graphs;
using FramePainter.Model;
using FramePainter.Tensors;
using FramePainter.Weights;

namespace FramePainter.Cuda.Tests;

/// <summary>A golden call of the U-Net, as a graph with the values given to it.</summary>
internal sealed class GoldenUNet
{
    readonly Dictionary<Value, float[]> _given;

    GoldenUNet(Graph graph, Dictionary<Value, float[]> given, float[] want) => (Graph, _given, Want) = (graph, given, want);

    /// <summary>The network.</summary>
    public Graph Graph { get; private set; }

    /// <summary>Its output.</summary>
    public Value Noise => Graph.Output("noise");

    /// <summary>What the original gives, in the output's order.</summary>
    public float[] Want { get; }

    /// <summary>Builds it.</summary>
    public static GoldenUNet Of(GoldenCase golden, Checkpoint checkpoint)
    {
        var given = new Dictionary<Value, float[]>();
        var kind = golden.Args.GetProperty("attention").GetString() switch
        {
            "matching" => AttentionKind.Matching,
            "cross_frame" => AttentionKind.CrossFrame,
            _ => AttentionKind.Temporal,
        };
        var g = new GraphBuilder();
        var config = checkpoint.UNet;
        var (sampleShape, sample) = Floats(golden, "sample");
        var x = Given(g.Input("sample", Rate.Edit, sampleShape[0] * sampleShape[1], sampleShape[3], sampleShape[4], sampleShape[2]), ChannelsLast(sample, sampleShape[2], sampleShape[3] * sampleShape[4]));
        var (idsShape, ids) = Floats(golden, "added_time_ids");
        var time = UNet.TimeTable(g, config, Scalars("t", [golden.Args.GetProperty("timestep").GetSingle()]), Given(g.Input("ids", Rate.Edit, idsShape[0], idsShape[1]), ids));
        var (contextShape, context) = Floats(golden, "context");
        var inputs = new TransformerInputs(kind, Given(g.Input("context", Rate.Edit, contextShape[0], contextShape[^1]), context), Scalars("frame_index", [0, 1]));
        var net = new UNet(config, inputs, new TimeRows(time, null));
        var (controlShape, control) = Floats(golden, "control");
        var features = Given(g.Input("control", Rate.Edit, controlShape[0], controlShape[2], controlShape[3], controlShape[1]), ChannelsLast(control, controlShape[1], controlShape[2] * controlShape[3]));
        var pooled = g.ControlPool(features, UNet.JoinExtent(config, x.Shape[1]), UNet.JoinExtent(config, x.Shape[2]));
        g.Output(net.Body(g, net.ConvIn(g, x), new ControlFeatures(pooled, Scalars("scale", Floats(golden, "scale").Values))).Prediction, "noise");
        var graph = FuseEpilogues.Run(g.Build("golden U-Net"));

        var (_, want) = golden.OutputFloats("noise");
        var output = graph.Output("noise");
        return new GoldenUNet(graph, given, ChannelsLast(want, output.Shape.Channels, output.Shape.Tokens));

        Value Given(Value value, float[] values)
        {
            given.Add(value, values);
            return value;
        }

        Value Scalars(string name, float[] values) => Given(g.Input(name, Rate.Edit, values.Length), values);
    }

    /// <summary>Copies inner values out, which keeps them inside as they were; returns each with its copy.</summary>
    public IReadOnlyList<(Value Inner, Value Copy)> Show(IEnumerable<Value> values)
    {
        var next = Graph.Inputs.Concat(Graph.Ops.SelectMany(op => op.Outputs)).Max(v => v.Id) + 1;
        var shown = values.Select(v => (Inner: v, Copy: new Value(next++, $"shown {v.Id}", v.Shape, v.Rate))).ToArray();
        Graph = Graph with
        {
            Ops = [.. Graph.Ops, .. shown.Select(s => new ActivateOp { Name = "copy", Input = s.Inner, Outputs = [s.Copy], Activation = Activation.None })],
            Outputs = [.. Graph.Outputs, .. shown.Select(s => s.Copy)],
        };
        return shown;
    }

    /// <summary>All outputs.</summary>
    public Dictionary<Value, float[]> Run(IBackend backend, IWeightSource weights)
    {
        using var store = backend.CreateStore(weights);
        using var executable = backend.Compile(Planner.Plan(Graph), store);
        var buffers = Graph.Inputs.Concat(Graph.Outputs).ToDictionary(v => v, v => backend.Allocate(v.Bytes));
        foreach (var (value, buffer) in buffers)
        {
            executable.Bind(value, buffer);
            if (_given.TryGetValue(value, out var values))
            {
                buffer.Write(values);
            }
        }

        executable.Run(TestContext.Current.CancellationToken);
        var results = new Dictionary<Value, float[]>();
        foreach (var output in Graph.Outputs)
        {
            results[output] = new float[output.Shape.Count];
            buffers[output].Read(results[output]);
        }

        foreach (var buffer in buffers.Values)
        {
            buffer.Dispose();
        }

        return results;
    }

    static (int[] Shape, float[] Values) Floats(GoldenCase golden, string name)
    {
        var (shape, bytes) = golden.Input(name);
        return (shape, MemoryMarshal.Cast<byte, float>(bytes).ToArray());
    }

    static float[] ChannelsLast(float[] values, int channels, int positions)
    {
        var result = new float[values.Length];
        for (var i = 0; i < values.Length; i++)
        {
            var (image, within) = Math.DivRem(i, channels * positions);
            var (channel, position) = Math.DivRem(within, positions);
            result[(((image * positions) + position) * channels) + channel] = values[i];
        }

        return result;
    }
}
