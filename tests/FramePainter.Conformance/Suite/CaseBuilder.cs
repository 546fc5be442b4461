using System.Globalization;
using FramePainter.Graphs;
using FramePainter.Tensors;

namespace FramePainter.Conformance;

/// <summary>Writes a case down: a <see cref="GraphBuilder"/> with random inputs and weights of random types.</summary>
internal sealed class CaseBuilder(Random random, Adversity adversity, MemoryWeights weights)
{
    static readonly DType[] s_types = [DType.F32, DType.F16, DType.BF16];
    readonly Dictionary<string, float[]> _inputs = [];
    readonly HashSet<string> _exact = [];
    readonly List<string> _data = [];
    Func<Op, Op> _change = op => op;
    int _tensors;

    /// <summary>The builder of the graph.</summary>
    public GraphBuilder Graph { get; } = new();

    /// <summary>The source of all choices.</summary>
    public Random Random => random;

    /// <summary>Data: normally distributed, spoiled as the case wants.</summary>
    public Value Data(params ReadOnlySpan<long> extents) => Spread(0, 1, extents);

    /// <summary>Data of some mean and deviation.</summary>
    public Value Spread(double mean, double deviation, params ReadOnlySpan<long> extents)
    {
        var value = Input(RandomData.Normals(random, new Shape(extents).Count, deviation, mean), extents);
        _data.Add(value.Name);
        return value;
    }

    /// <summary>An input that no adversity touches.</summary>
    public Value Input(float[] elements, params ReadOnlySpan<long> extents)
    {
        var value = Graph.Input(string.Create(CultureInfo.InvariantCulture, $"in{_inputs.Count}"), Rate.Edit, extents);
        _inputs.Add(value.Name, elements);
        return value;
    }

    /// <summary>A whole number that must stay one.</summary>
    public Value Index(int index) => Exact([index], 1, 1);

    /// <summary>An input that steps from value to value (coordinates of cells): no adversity touches it, nor does any disturbance.</summary>
    public Value Exact(float[] elements, params ReadOnlySpan<long> extents)
    {
        var value = Input(elements, extents);
        _exact.Add(value.Name);
        return value;
    }

    /// <summary>A tensor of weights of a random type; returns its name.</summary>
    public string Tensor(double mean, double deviation, params ReadOnlySpan<long> extents)
    {
        var name = string.Create(CultureInfo.InvariantCulture, $"unet.w{_tensors++}.weight");
        weights.AddRandom(name, s_types[random.Next(3)], new Shape(extents), random, deviation, mean);
        return name;
    }

    /// <summary>A whole matrix, 1×1 kernels sometimes with their two extents.</summary>
    public WeightMatrix Matrix(int outputs, int inputs) => WeightMatrix.Of(
        random.Next(2) == 0 ? Tensor(0, 1 / Math.Sqrt(inputs), outputs, inputs) : Tensor(0, 1 / Math.Sqrt(inputs), outputs, inputs, 1, 1), outputs, inputs);

    /// <summary>A whole convolution kernel.</summary>
    public WeightMatrix Kernel(int outputs, int inputs, int height, int width) => WeightMatrix.Of(
        Tensor(0, 1 / Math.Sqrt((double)inputs * height * width), outputs, inputs, height, width), outputs, inputs, height * width);

    /// <summary>A whole kernel over time.</summary>
    public WeightMatrix TemporalKernel(int outputs, int inputs) =>
        WeightMatrix.Of(Tensor(0, 1 / Math.Sqrt(3.0 * inputs), outputs, inputs, 3, 1, 1), outputs, inputs, 3);

    /// <summary>A whole vector.</summary>
    public WeightVector Vector(int count, double mean = 0, double deviation = 1) => WeightVector.Of(Tensor(mean, deviation, count), count);

    /// <summary>A factor that hangs on a learned scalar.</summary>
    public MixScale Mix(bool inverse = false) => inverse ? MixScale.OneMinusAlpha(Tensor(0, 1, 1)) : MixScale.Alpha(Tensor(0, 1, 1));

    /// <summary>Changes ops after the graph is built: how attributes that passes set are tried.</summary>
    public void Change(Func<Op, Op> change) => _change = change;

    public BuiltCase Finish(OpCase test)
    {
        var built = Graph.Build(test.Name);
        var graph = built with { Ops = [.. built.Ops.Select(_change)] };
        var renamed = graph.Ops.SelectMany(op => op.Outputs).ToDictionary(v => v.Id);
        graph = graph with { Outputs = [.. graph.Outputs.Select(v => renamed.GetValueOrDefault(v.Id, v))] };
        if (test.Op is not null && graph.Ops.All(op => op.GetType() != test.Op))
        {
            throw new InvalidOperationException($"Case '{test.Name}' has no {test.Op.Name}.");
        }

        Spoil();
        return new BuiltCase(
            test, graph, graph.Inputs.ToDictionary(v => v, v => _inputs[v.Name]), graph.Inputs.Where(v => _exact.Contains(v.Name)).ToHashSet(), weights);
    }

    void Spoil()
    {
        if (adversity == Adversity.NaN && _data.Count > 0)
        {
            var elements = _inputs[_data[random.Next(_data.Count)]];
            elements[random.Next(elements.Length)] = float.NaN;
            return;
        }

        var factor = adversity switch { Adversity.Huge => 1e8f, Adversity.Tiny => 1e-12f, Adversity.Zero => 0f, _ => 1f };
        foreach (var elements in _data.Select(name => _inputs[name]))
        {
            for (var i = 0; i < elements.Length; i++)
            {
                elements[i] *= factor;
            }
        }
    }
}
