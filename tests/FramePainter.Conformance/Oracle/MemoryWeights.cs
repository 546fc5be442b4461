using System.Runtime.InteropServices;
using FramePainter.Tensors;

namespace FramePainter.Conformance;

/// <summary>Weights in memory, for tests: added one by one as F32, F16 or BF16, or drawn at random.</summary>
internal sealed class MemoryWeights : IWeightSource, IDisposable
{
    readonly Dictionary<string, (DType Type, Shape Shape, NativeBuffer Memory)> _tensors = new(StringComparer.Ordinal);

    /// <summary>Names of all tensors.</summary>
    public IEnumerable<string> Names => _tensors.Keys;

    /// <summary>Adds a tensor, rounded to its type.</summary>
    public void Add(string name, DType type, Shape shape, ReadOnlySpan<float> elements)
    {
        if (elements.Length != shape.Count)
        {
            throw new ArgumentException($"'{name}' {shape} needs {shape.Count} elements, not {elements.Length}.", nameof(elements));
        }

        var memory = new NativeBuffer(shape.Count * type.Size());
        switch (type)
        {
            case DType.F32: elements.CopyTo(memory.Span<float>(0, elements.Length)); break;
            case DType.F16: HalfConversion.NarrowF16(elements, memory.Span<ushort>(0, elements.Length)); break;
            case DType.BF16: HalfConversion.NarrowBF16(elements, memory.Span<ushort>(0, elements.Length)); break;
            default: throw new ArgumentOutOfRangeException(nameof(type), type, "Not a type of weights.");
        }

        _tensors.Add(name, (type, shape, memory));
    }

    /// <summary>Adds a tensor as its bytes stand in a file.</summary>
    public void AddBytes(string name, DType type, Shape shape, ReadOnlySpan<byte> bytes)
    {
        var memory = new NativeBuffer(bytes.Length);
        bytes.CopyTo(memory.Span<byte>(0, bytes.Length));
        _tensors.Add(name, (type, shape, memory));
    }

    /// <summary>Adds a tensor of normally distributed numbers.</summary>
    public void AddRandom(string name, DType type, Shape shape, Random random, double deviation = 1, double mean = 0)
    {
        var elements = new float[shape.Count];
        for (var i = 0; i < elements.Length; i++)
        {
            elements[i] = (float)(mean + (deviation * RandomData.Normal(random)));
        }

        Add(name, type, shape, elements);
    }

    public IWeightHandle Open(string name) => _tensors.TryGetValue(name, out var tensor)
        ? new Handle(new TensorView(name, tensor.Type, tensor.Shape, Address(tensor.Memory)))
        : throw new CheckpointException($"There is no tensor '{name}'.", tensor: name);

    public void Dispose()
    {
        foreach (var (_, _, memory) in _tensors.Values)
        {
            memory.Dispose();
        }

        _tensors.Clear();
    }

    static unsafe nint Address(NativeBuffer memory) => (nint)memory.Pointer;

    sealed class Handle(TensorView view) : IWeightHandle
    {
        public TensorView View => view;

        public void Dispose()
        {
        }
    }
}

/// <summary>Random numbers for tests.</summary>
internal static class RandomData
{
    /// <summary>A draw from the standard normal distribution.</summary>
    public static double Normal(Random random) =>
        Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble());

    /// <summary>Normally distributed floats.</summary>
    public static float[] Normals(Random random, long count, double deviation = 1, double mean = 0)
    {
        var numbers = new float[count];
        for (var i = 0; i < numbers.Length; i++)
        {
            numbers[i] = (float)(mean + (deviation * Normal(random)));
        }

        return numbers;
    }
}
