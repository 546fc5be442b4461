using FramePainter.Benchmarks.Cases;
using FramePainter.Benchmarks.Peer;
using FramePainter.Graphs;
using Microsoft.ML.OnnxRuntime;

namespace FramePainter.Benchmarks.Engines;

/// <summary>ONNX Runtime with all its graph optimisations, inputs and outputs bound in its own layout: nothing but its run is timed.</summary>
internal sealed class OnnxEngine : IEngine
{
    readonly InferenceSession _session;
    readonly RunOptions _runOptions = new();
    readonly OrtIoBinding _binding;
    readonly List<OrtValue> _values = [];
    readonly float[] _output;
    readonly Value _y;
    readonly Layout _layout;

    public OnnxEngine(PreparedGraph prepared, RandomWeights weights, int threads, AttentionForm attention)
    {
        var graph = prepared.Step;
        var translator = new OnnxTranslator(weights, attention);
        var model = translator.Translate(graph);
        using var options = new SessionOptions
        {
            IntraOpNumThreads = threads,
            InterOpNumThreads = 1,
            ExecutionMode = ExecutionMode.ORT_SEQUENTIAL,
            GraphOptimizationLevel = GraphOptimizationLevel.ORT_ENABLE_ALL,
        };
        // Its threads would go on spinning while the other engine is timed.
        options.AddSessionConfigEntry("session.force_spinning_stop", "1");
        _session = new InferenceSession(model, options);
        _binding = _session.CreateIoBinding();
        foreach (var (input, layout) in translator.Inputs)
        {
            var values = prepared.Inputs[input];
            _binding.BindInput(input.Name, Value(layout == Layout.Planes ? ChannelsFirst(values, input) : values, OnnxTranslator.Dims(input.Shape, layout)));
        }

        (_y, _layout) = (graph.Output("y"), translator.OutputLayout);
        _output = new float[_y.Shape.Count];
        _binding.BindOutput("y", Value(_output, OnnxTranslator.Dims(_y.Shape, _layout)));
    }

    public void Run() => _session.RunWithBinding(_runOptions, _binding);

    public float[] Read() => _layout == Layout.Tokens ? [.. _output] : ChannelsLast(_output, _y);

    public void Dispose()
    {
        _binding.Dispose();
        _values.ForEach(v => v.Dispose());
        _runOptions.Dispose();
        _session.Dispose();
    }

    OrtValue Value(float[] values, long[] dims)
    {
        // The value pins the array until it is disposed.
        var value = OrtValue.CreateTensorValueFromMemory(values, dims);
        _values.Add(value);
        return value;
    }

    static float[] ChannelsFirst(float[] values, Value v) => Turn(values, v.Shape.Images, v.Shape.Tokens, v.Shape.Channels);

    static float[] ChannelsLast(float[] values, Value v) => Turn(values, v.Shape.Images, v.Shape.Channels, v.Shape.Tokens);

    static float[] Turn(float[] values, int images, int rows, int columns)
    {
        var turned = new float[values.Length];
        var area = rows * columns;
        for (var image = 0; image < images; image++)
        {
            for (var row = 0; row < rows; row++)
            {
                for (var column = 0; column < columns; column++)
                {
                    turned[(image * area) + (column * rows) + row] = values[(image * area) + (row * columns) + column];
                }
            }
        }

        return turned;
    }
}
