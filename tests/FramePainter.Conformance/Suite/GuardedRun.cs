using FramePainter.Backends;
using FramePainter.Graphs;

namespace FramePainter.Conformance;

/// <summary>
/// A case bound on a backend, every input and output in a buffer of its own between guard zones.
/// Guards are NaN of a certain payload: a write beyond an end changes them, a read beyond an end that matters shows in the result.
/// </summary>
internal sealed class GuardedRun : IDisposable
{
    const int Guard = 64;
    static readonly float s_canary = BitConverter.UInt32BitsToSingle(0x7FC0BEEF);
    readonly BuiltCase _built;
    readonly IWeightStore _store;
    readonly Dictionary<Value, IDeviceBuffer> _buffers = [];

    public GuardedRun(IBackend backend, BuiltCase built)
    {
        _built = built;
        _store = backend.CreateStore(built.Weights);
        Executable = backend.Compile(Planner.Plan(built.Graph), _store);
        foreach (var value in built.Graph.Inputs.Concat(built.Graph.Outputs))
        {
            var buffer = backend.Allocate(((2 * Guard) + value.Shape.Count) * sizeof(float));
            _buffers.Add(value, buffer);
            Executable.Bind(value, buffer, Guard * sizeof(float));
        }
    }

    /// <summary>The executable.</summary>
    public IExecutable Executable { get; }

    /// <summary>Runs on the case's own inputs.</summary>
    public Dictionary<Value, float[]> Run() => Run(v => _built.Inputs[v]);

    /// <summary>Runs on NaN everywhere, so that arena and scratch hold nothing else when the next run begins.</summary>
    public void Poison() => Run(v => _built.Exact.Contains(v) ? _built.Inputs[v] : [.. Enumerable.Repeat(float.NaN, (int)v.Shape.Count)]);

    public void Dispose()
    {
        Executable.Dispose();
        _store.Dispose();
        foreach (var buffer in _buffers.Values)
        {
            buffer.Dispose();
        }
    }

    Dictionary<Value, float[]> Run(Func<Value, float[]> inputs)
    {
        foreach (var (value, buffer) in _buffers)
        {
            var whole = Enumerable.Repeat(s_canary, (int)(buffer.Bytes / sizeof(float))).ToArray();
            if (_built.Inputs.ContainsKey(value))
            {
                inputs(value).CopyTo(whole, Guard);
            }

            buffer.Write(whole);
        }

        Executable.Run();
        var results = new Dictionary<Value, float[]>();
        foreach (var (value, buffer) in _buffers)
        {
            var whole = new float[buffer.Bytes / sizeof(float)];
            buffer.Read(whole);
            AssertSameBits(s_canary, whole.AsSpan(..Guard), $"the guard before {value}");
            AssertSameBits(s_canary, whole.AsSpan(^Guard..), $"the guard behind {value}");
            var elements = whole[Guard..^Guard];
            if (_built.Inputs.ContainsKey(value))
            {
                Bits.AssertEqual(inputs(value), elements, $"input {value} after the run");
            }
            else
            {
                results[value] = elements;
            }
        }

        return results;
    }

    static void AssertSameBits(float expected, ReadOnlySpan<float> got, string what)
    {
        for (var i = 0; i < got.Length; i++)
        {
            Assert.True(
                BitConverter.SingleToUInt32Bits(got[i]) == BitConverter.SingleToUInt32Bits(expected), $"{what} was overwritten at {i} with {got[i]}");
        }
    }
}

/// <summary>Equality of floats bit for bit.</summary>
internal static class Bits
{
    public static void AssertEqual(ReadOnlySpan<float> expected, ReadOnlySpan<float> got, string what)
    {
        Assert.Equal(expected.Length, got.Length);
        for (var i = 0; i < got.Length; i++)
        {
            Assert.True(
                BitConverter.SingleToUInt32Bits(expected[i]) == BitConverter.SingleToUInt32Bits(got[i]),
                $"{what}: element {i} is {got[i]:R}, not {expected[i]:R}");
        }
    }
}
