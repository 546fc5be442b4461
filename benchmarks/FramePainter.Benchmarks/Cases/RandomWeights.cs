using FramePainter.Backends;
using FramePainter.Graphs;
using FramePainter.Tensors;

namespace FramePainter.Benchmarks.Cases;

/// <summary>
/// Random weights for every tensor that a graph names, stored as F16: both engines get the same numbers, one kept narrow and one widened.
/// Matrices are scaled by their inputs, so that activations keep their size through a block.
/// </summary>
internal sealed class RandomWeights : IWeightSource, IDisposable
{
    readonly Dictionary<string, (Shape Shape, NativeBuffer Buffer)> _tensors = new(StringComparer.Ordinal);
    readonly Random _random = new(20250108);

    public RandomWeights(params ReadOnlySpan<Graph> graphs)
    {
        foreach (var graph in graphs)
        {
            Add(graph);
        }
    }

    void Add(Graph graph)
    {
        foreach (var op in graph.Ops)
        {
            switch (op)
            {
                case ProductOp product:
                    Add(product.Weight);
                    Add(product.Bias, 0, 0.1f);
                    break;
                case GroupNormOp norm:
                    Add(norm.Gamma, 1, 0.1f);
                    Add(norm.Beta, 0, 0.1f);
                    break;
                case LayerNormOp norm:
                    Add(norm.Gamma, 1, 0.1f);
                    Add(norm.Beta, 0, 0.1f);
                    break;
                case BlendOp blend:
                    Add(blend.LeftScale.Mix);
                    Add(blend.RightScale.Mix);
                    break;
            }
        }
    }

    /// <summary>The tensor, widened.</summary>
    public float[] Floats(string name)
    {
        var (shape, buffer) = _tensors[name];
        return [.. buffer.Span<Half>(0, checked((int)shape.Count)).ToArray().Select(h => (float)h)];
    }

    public IWeightHandle Open(string name)
    {
        var (shape, buffer) = _tensors[name];
        unsafe
        {
            return new Handle(new TensorView(name, DType.F16, shape, (nint)buffer.Pointer));
        }
    }

    public void Dispose()
    {
        foreach (var (_, buffer) in _tensors.Values)
        {
            buffer.Dispose();
        }
    }

    void Add(WeightMatrix matrix)
    {
        var parts = matrix.Tensors.Length;
        var outputs = matrix.Join == MatrixJoin.Outputs ? matrix.Outputs / parts : matrix.Outputs;
        var inputs = matrix.Join == MatrixJoin.Inputs ? matrix.Inputs / parts : matrix.Inputs;
        var shape = matrix.Taps == 1 ? new Shape(outputs, inputs) : new Shape(outputs, inputs, matrix.Taps);
        foreach (var name in matrix.Tensors)
        {
            Add(name, shape, 0, MathF.Sqrt(3f / (inputs * matrix.Taps)));
        }
    }

    void Add(WeightVector? vector, float middle, float spread)
    {
        if (vector is not null)
        {
            var count = vector.Join == VectorJoin.Sum ? vector.Count : vector.Count / vector.Tensors.Length;
            foreach (var name in vector.Tensors)
            {
                Add(name, new Shape(count), middle, spread);
            }
        }
    }

    void Add(string? mix)
    {
        if (mix is not null)
        {
            Add(mix, new Shape(1), 0.5f, 0);
        }
    }

    void Add(string name, Shape shape, float middle, float spread)
    {
        if (_tensors.ContainsKey(name))
        {
            return;
        }

        var count = checked((int)shape.Count);
        var buffer = new NativeBuffer(count * sizeof(ushort));
        foreach (ref var half in buffer.Span<Half>(0, count))
        {
            half = (Half)(middle + (spread * ((2 * _random.NextSingle()) - 1)));
        }

        _tensors.Add(name, (shape, buffer));
    }

    sealed record Handle(TensorView View) : IWeightHandle
    {
        public void Dispose()
        {
        }
    }
}
