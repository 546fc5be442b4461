using FramePainter.Backends.Cpu;
using FramePainter.Backends.Cpu.Simd;
using FramePainter.Graphs;
using FramePainter.Tensors;

namespace FramePainter.Tests.Backends;

/// <summary>Weights that live in native memory for one test.</summary>
internal sealed class TestWeights : IWeightSource, IDisposable
{
    readonly Dictionary<string, (DType Type, Shape Shape, NativeBuffer Memory)> _tensors = [];

    public float[] Add(string name, DType type, float[] values, params long[] extents)
    {
        var memory = new NativeBuffer((long)values.Length * type.Size());
        switch (type)
        {
            case DType.F16:
                HalfConversion.NarrowF16(values, memory.Span<ushort>(0, values.Length));
                break;
            case DType.BF16:
                HalfConversion.NarrowBF16(values, memory.Span<ushort>(0, values.Length));
                break;
            default:
                values.CopyTo(memory.Span<float>(0, values.Length));
                break;
        }

        _tensors[name] = (type, new Shape(extents), memory);
        using var handle = Open(name);
        return handle.View.ToArray();
    }

    public unsafe IWeightHandle Open(string name)
    {
        var (type, shape, memory) = _tensors[name];
        return new Handle(new TensorView(name, type, shape, (nint)memory.Pointer));
    }

    public void Dispose()
    {
        foreach (var (_, _, memory) in _tensors.Values)
        {
            memory.Dispose();
        }
    }

    sealed record Handle(TensorView View) : IWeightHandle
    {
        public void Dispose()
        {
        }
    }
}

/// <summary>One product op run by the CPU backend and by plain loops in double precision.</summary>
internal sealed class ProductCase(int seed) : IDisposable
{
    readonly Random _random = new(seed);
    readonly Dictionary<Value, float[]> _data = [];
    int _id;

    public TestWeights Weights { get; } = new();

    public Value Value(params long[] extents)
    {
        var value = new Value(_id++, $"v{_id}", new Shape(extents), Rate.Step);
        _data[value] = Random(checked((int)value.Shape.Count));
        return value;
    }

    public float[] Data(Value value) => _data[value];

    public float[] Random(int count) => [.. Enumerable.Range(0, count).Select(_ => (float)((_random.NextDouble() * 2) - 1))];

    /// <summary>Convolutions sum directly unless the test is of Winograd's: its rounding is another.</summary>
    public float[] Run(Op op, InstructionPath path, int threads, CpuNumbers? numbers = null, WinogradUse winograd = WinogradUse.Never)
    {
        using var backend = new CpuBackend(threads, path, numbers, winograd);
        using var store = backend.CreateStore(Weights);
        var graph = new Graph("case", [.. op.Inputs.Distinct()], [op], op.Outputs);
        using var executable = backend.Compile(Planner.Plan(graph), store);
        var buffers = new List<IDisposable>();
        try
        {
            foreach (var value in graph.Inputs)
            {
                var buffer = backend.Allocate(value.Bytes);
                buffers.Add(buffer);
                buffer.Write(_data[value]);
                executable.Bind(value, buffer);
            }

            var output = backend.Allocate(op.Output.Bytes);
            buffers.Add(output);
            executable.Bind(op.Output, output);
            executable.Run();
            var result = new float[op.Output.Shape.Count];
            output.Read(result);
            return result;
        }
        finally
        {
            buffers.ForEach(b => b.Dispose());
        }
    }

    /// <summary>Sums of one output row: a function (row, input of all taps) gives the left side; null where it is padding.</summary>
    public double[] Expect(ProductOp op, float[] weight, float[]? bias, Func<int, int, double> input)
    {
        var (outputs, taps, inputs) = (op.Weight.Outputs, op.Weight.Taps, op.Weight.Inputs);
        var shape = op.Output.Shape;
        var rows = (int)(shape.Count / shape.Channels);
        var result = new double[shape.Count];
        var sums = new double[outputs];
        for (var row = 0; row < rows; row++)
        {
            for (var o = 0; o < outputs; o++)
            {
                var sum = bias is null ? 0.0 : bias[o];
                for (var tap = 0; tap < taps; tap++)
                {
                    for (var i = 0; i < inputs; i++)
                    {
                        sum += input(row, (tap * inputs) + i) * weight[(((o * inputs) + i) * taps) + tap];
                    }
                }

                sums[o] = sum;
            }

            for (var c = 0; c < shape.Channels; c++)
            {
                result[(row * shape.Channels) + c] = Finish(op, sums, row, c);
            }
        }

        return result;
    }

    public double At(Operand operand, long position, int channel)
    {
        var first = operand.First.Shape.Channels;
        return channel < first
            ? _data[operand.First][(position * first) + channel]
            : _data[operand.Second!][(position * (operand.Channels - first)) + channel - first];
    }

    public void Dispose() => Weights.Dispose();

    double Finish(ProductOp op, double[] sums, int row, int c)
    {
        var shape = op.Output.Shape;
        var x = sums[c];
        var y = op.Epilogue.Activation switch
        {
            Activation.Silu => x / (1 + Math.Exp(-x)),
            Activation.Gelu => Gelu(x),
            Activation.QuickGelu => x / (1 + Math.Exp(-1.702 * x)),
            Activation.Relu => Math.Max(x, 0),
            Activation.Geglu => x * Gelu(sums[c + shape.Channels]),
            _ => x,
        };
        if (op.Epilogue.Rows is { } rows)
        {
            y += _data[rows.Table][(rows.RowOf(row / shape.Tokens, shape.Images) * shape.Channels) + c];
        }

        y *= op.Epilogue.Scale.Constant;
        foreach (var residual in op.Epilogue.Residuals)
        {
            y += residual.Scale.Constant * _data[residual.Value][(row * shape.Channels) + c];
        }

        return y;
    }

    public static double Gelu(double x) => x * 0.5 * (1 + Erf(x / Math.Sqrt(2)));

    /// <summary>erf by its series, or by the continued fraction of erfc further out.</summary>
    public static double Erf(double z)
    {
        if (double.IsNaN(z))
        {
            return z;
        }

        var a = Math.Abs(z);
        if (a > 6)
        {
            return Math.Sign(z);
        }

        double sum, term;
        if (a < 2.5)
        {
            sum = term = z;
            for (var k = 1; k < 60; k++)
            {
                term *= -z * z / k;
                sum += term / ((2 * k) + 1);
            }

            return sum * 2 / Math.Sqrt(Math.PI);
        }

        var fraction = 0.0;
        for (var k = 60; k > 0; k--)
        {
            fraction = k / 2.0 / (a + fraction);
        }

        return Math.Sign(z) * (1 - (Math.Exp(-a * a) / Math.Sqrt(Math.PI) / (a + fraction)));
    }
}
