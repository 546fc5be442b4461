using System.Runtime.InteropServices;
using FramePainter.Backends.Cpu.Simd;
using FramePainter.Backends.Cpu;
using FramePainter.Core.Tests.Support;
using FramePainter.Graphs;
using FramePainter.Tensors;

namespace FramePainter.Core.Tests.Backends;

/// <summary>Runs a graph of one op on the CPU, on every instruction path and with one, two and three threads, and holds all threads to the same bits.</summary>
internal sealed class OpHarness : IWeightSource
{
    readonly Dictionary<string, float[]> _weights = [];
    readonly Dictionary<Value, float[]> _inputs = [];
    readonly Random _random;

    public OpHarness(int seed) => _random = new Random(seed);

    public GraphBuilder Graph { get; } = new();

    /// <summary>Changes an op before it runs: what passes do.</summary>
    public Func<Op, Op> Rewrite { get; init; } = op => op;

    /// <summary>In which numbers; only AVX-512 computes in others than float32.</summary>
    public CpuNumbers[]? Numbers { get; init; }

    public float this[Value input, int index]
    {
        get => _inputs[input][index];
        set => _inputs[input][index] = value;
    }

    /// <summary>Normally distributed numbers.</summary>
    public float[] Normal(long count, double mean = 0, double deviation = 1)
    {
        var values = new float[count];
        for (var i = 0; i < values.Length; i++)
        {
            values[i] = (float)(mean + (deviation * Math.Sqrt(-2 * Math.Log(1 - _random.NextDouble())) * Math.Cos(2 * Math.PI * _random.NextDouble())));
        }

        return values;
    }

    public Value Input(params long[] extents) => Input(Normal(new Shape(extents).Count), extents);

    public Value Input(float[] values, params long[] extents)
    {
        var input = Graph.Input($"input{_inputs.Count}", Rate.Step, extents);
        _inputs[input] = values;
        return input;
    }

    public float[] Data(Value input) => _inputs[input];

    public WeightVector Vector(int count)
    {
        var name = $"w{_weights.Count}";
        _weights[name] = Normal(count);
        return WeightVector.Of(name, count);
    }

    public string Scalar(float value)
    {
        var name = $"w{_weights.Count}";
        _weights[name] = [value];
        return name;
    }

    public float[] Data(WeightVector vector) => _weights[vector.Tensors[0]];

    /// <summary>The first output on every path, with every kind of its kernels.</summary>
    public IEnumerable<(InstructionPath Path, float[] Result)> Run(params Value[] outputs)
    {
        foreach (var (path, results) in RunAll(outputs))
        {
            yield return (path, results[0]);
        }
    }

    public List<(InstructionPath Path, float[][] Results)> RunAll(params Value[] outputs)
    {
        for (var i = 0; i < outputs.Length; i++)
        {
            Graph.Output(outputs[i], $"output{i}");
        }

        var graph = Graph.Build("test");
        var plan = Planner.Plan(graph with { Ops = [.. graph.Ops.Select(Rewrite)] });
        var all = new List<(InstructionPath, float[][])>();
        foreach (var path in Enum.GetValues<InstructionPath>().Where(p => InstructionPaths.IsSupported(p) && (Numbers is null || p == InstructionPath.Avx512)))
        {
            foreach (var numbers in Numbers ?? Variants(path))
            {
                var one = Execute(plan, path, 1, numbers);
                foreach (var threads in new[] { 2, 3 })
                {
                    var more = Execute(plan, path, threads, numbers);
                    for (var i = 0; i < one.Length; i++)
                    {
                        Assert.Equal(MemoryMarshal.Cast<float, int>(one[i]).ToArray(), MemoryMarshal.Cast<float, int>(more[i]).ToArray());
                    }
                }

                all.Add((path, one));
            }
        }

        return all;
    }

    /// <summary>Holds a result to what plain loops in double say: |difference| ≤ tolerance·(1 + |expected|), NaN where NaN is expected.</summary>
    public static void Close(Func<int, double> expected, float[] result, double tolerance, string what)
    {
        for (var i = 0; i < result.Length; i++)
        {
            var want = expected(i);
            var fits = double.IsNaN(want) ? float.IsNaN(result[i]) : Math.Abs(result[i] - want) <= tolerance * (1 + Math.Abs(want));
            Assert.True(fits, $"{what}: element {i} is {result[i]}, not {want}.");
        }
    }

    public IWeightHandle Open(string name) => new Handle(name, _weights[name]);

    // Compiled and assembled kernels, with tiles of both shapes, whichever this machine prefers.
    static CpuNumbers[] Variants(InstructionPath path) => path switch
    {
        InstructionPath.Avx512 => [new CpuNumbers { CompiledOnly = true }, .. Enum.GetValues<TileForm>().Select(tiles => new CpuNumbers { Tiles = tiles })],
        InstructionPath.Avx2 => [new CpuNumbers { CompiledOnly = true }, new CpuNumbers()],
        _ => [new CpuNumbers()],
    };

    float[][] Execute(Plan plan, InstructionPath path, int threads, CpuNumbers numbers)
    {
        using var backend = new CpuBackend(threads, path, numbers);
        using var store = backend.CreateStore(this);
        using var executable = backend.Compile(plan, store);
        var buffers = new List<FramePainter.Backends.IDeviceBuffer>();
        try
        {
            foreach (var value in plan.Graph.Inputs.Concat(plan.Graph.Outputs))
            {
                // A canary behind each value: a tail that writes too far is seen.
                var buffer = backend.Allocate(value.Bytes + 64);
                buffers.Add(buffer);
                if (_inputs.TryGetValue(value, out var data))
                {
                    buffer.Write(data);
                }

                var canary = new float[16];
                Array.Fill(canary, 12345);
                buffer.Write(canary, value.Bytes);
                executable.Bind(value, buffer);
            }

            // Again and again: what a run leaves in scratch must not matter, and a run allocates nothing.
            executable.Run();
            Assert.Equal(0, Allocation.Least(() => executable.Run()));
            var canaries = new float[16];
            foreach (var buffer in buffers)
            {
                buffer.Read(canaries, buffer.Bytes - 64);
                Assert.All(canaries, c => Assert.Equal(12345, c));
            }

            return [.. plan.Graph.Outputs.Select((value, i) =>
            {
                var result = new float[value.Shape.Count];
                buffers[plan.Graph.Inputs.Length + i].Read(result);
                return result;
            })];
        }
        finally
        {
            buffers.ForEach(b => b.Dispose());
        }
    }

    sealed class Handle : IWeightHandle
    {
        GCHandle _pin;

        public Handle(string name, float[] values)
        {
            _pin = GCHandle.Alloc(values, GCHandleType.Pinned);
            View = new TensorView(name, DType.F32, new Shape(values.Length), _pin.AddrOfPinnedObject());
        }

        public TensorView View { get; }

        public void Dispose() => _pin.Free();
    }
}
