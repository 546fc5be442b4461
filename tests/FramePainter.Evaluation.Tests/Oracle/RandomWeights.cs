using FramePainter.Tensors;
using FramePainter.Weights.Safetensors;

namespace FramePainter.Evaluation.Tests.Oracle;

/// <summary>Random weights by name, exact in half precision, so that a file of halves and the oracle see the same numbers.</summary>
sealed class RandomWeights
{
    readonly SortedDictionary<string, Shape> _shapes = new(StringComparer.Ordinal);
    readonly Dictionary<string, (float Low, float High)> _ranges = new(StringComparer.Ordinal);

    public IEnumerable<string> Names => _shapes.Keys;

    /// <summary>Adds a tensor with values uniform over a range.</summary>
    public void Add(string name, float low, float high, params ReadOnlySpan<long> extents)
    {
        _shapes.Add(name, new Shape(extents));
        _ranges.Add(name, (low, high));
    }

    /// <summary>Adds a layer's weights with a variance that keeps activations near 1, and its bias.</summary>
    public void AddLayer(string name, float gain, params ReadOnlySpan<long> extents)
    {
        var reach = gain * MathF.Sqrt(3f * extents[0] / new Shape(extents).Count);
        Add(name + ".weight", -reach, reach, extents);
        Add(name + ".bias", -0.1f, 0.1f, extents[0]);
    }

    public Shape ShapeOf(string name) => _shapes[name];

    /// <summary>The values of a tensor: the same in every call.</summary>
    public float[] Values(string name)
    {
        var state = 2166136261u;
        foreach (var letter in name)
        {
            state = (state ^ letter) * 16777619u;
        }

        var (low, high) = _ranges[name];
        var values = new float[_shapes[name].Count];
        for (var i = 0; i < values.Length; i++)
        {
            state = (state * 1664525u) + 1013904223u;
            values[i] = (float)(Half)(low + ((high - low) * (state >> 8) / (1 << 24)));
        }

        return values;
    }

    /// <summary>Writes the tensors whose names are wanted.</summary>
    public void Write(string path, Func<string, bool>? wanted = null, Func<string, Shape>? shape = null)
    {
        string[] names = [.. Names.Where(n => wanted?.Invoke(n) != false)];
        using var writer = SafetensorsWriter.Create(path, [.. names.Select(n => new SafetensorsDeclaration(n, DType.F16, shape?.Invoke(n) ?? _shapes[n]))]);
        foreach (var name in names)
        {
            writer.Append(name, Values(name));
        }

        writer.Complete();
    }
}
