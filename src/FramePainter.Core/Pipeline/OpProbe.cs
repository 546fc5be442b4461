using System.Diagnostics;
using FramePainter.Backends;
using FramePainter.Graphs;
using FramePainter.Tensors;

namespace FramePainter.Pipeline;

/// <summary>Times one op on a device, alone, over made-up inputs and weights.</summary>
static class OpProbe
{
    /// <summary>Runs are repeated until they took so long together, or so often.</summary>
    static readonly TimeSpan s_enough = TimeSpan.FromMilliseconds(20);
    const int MostRuns = 12;

    /// <summary>Seconds of one run: the median of a few, after one that warms up.</summary>
    public static double Time(IBackend backend, IWeightSource shapes, Op op, CancellationToken cancel)
    {
        var graph = new Graph(op.Name, [.. op.Inputs.Distinct()], [op], op.Outputs);
        using var store = backend.CreateStore(new MadeUpWeights(shapes));
        using var executable = backend.Compile(Planner.Plan(graph), store);
        var buffers = new List<IDeviceBuffer>();
        try
        {
            foreach (var value in graph.Inputs.Concat(graph.Outputs))
            {
                var buffer = backend.Allocate(value.Bytes);
                buffers.Add(buffer);
                executable.Bind(value, buffer);
                Fill(buffer, value);
            }

            executable.Run(cancel);
            var times = new List<double>();
            var all = Stopwatch.StartNew();
            do
            {
                var clock = Stopwatch.StartNew();
                executable.Run(cancel);
                times.Add(clock.Elapsed.TotalSeconds);
            }
            while (times.Count < MostRuns && all.Elapsed < s_enough);

            times.Sort();
            return times[times.Count / 2];
        }
        finally
        {
            foreach (var buffer in buffers)
            {
                buffer.Dispose();
            }
        }
    }

    /// <summary>Numbers from −1 to 1, of the size that activations have. A single number may be a row's, and stays 0.</summary>
    static void Fill(IDeviceBuffer buffer, Value value)
    {
        var count = value.Shape.Count;
        if (count == 1)
        {
            return;
        }

        var part = new float[(int)Math.Min(count, 1 << 16)];
        for (var i = 0; i < part.Length; i++)
        {
            part[i] = ((i * 7919 % 1999) - 999) / 1000f;
        }

        for (long at = 0; at < count; at += part.Length)
        {
            buffer.Write(part.AsSpan(0, (int)Math.Min(part.Length, count - at)), at * sizeof(float));
        }
    }

    /// <summary>Weights of the shapes and types of others, all of one small number.</summary>
    sealed class MadeUpWeights(IWeightSource shapes) : IWeightSource
    {
        const float Number = 1f / 256;

        public TensorView Describe(string name) => shapes.Describe(name);

        public IWeightHandle Open(string name)
        {
            var view = shapes.Describe(name);
            return new Handle(view, NativeBuffer.Unfilled(view.Bytes));
        }

        sealed unsafe class Handle : IWeightHandle
        {
            readonly TensorView _view;
            readonly NativeBuffer _memory;

            public Handle(TensorView view, NativeBuffer memory)
            {
                (_view, _memory) = (view, memory);
                if (view.Type == DType.F32)
                {
                    Fill(Number);
                }
                else
                {
                    Fill(view.Type == DType.F16 ? BitConverter.HalfToUInt16Bits((Half)Number) : (ushort)(BitConverter.SingleToUInt32Bits(Number) >> 16));
                }
            }

            public TensorView View => _view with { Address = (nint)_memory.Pointer };

            public void Dispose() => _memory.Dispose();

            void Fill<T>(T number)
                where T : unmanaged
            {
                const int piece = 1 << 24;
                for (long at = 0; at < _view.Shape.Count; at += piece)
                {
                    _memory.Span<T>(at * sizeof(T), (int)Math.Min(piece, _view.Shape.Count - at)).Fill(number);
                }
            }
        }
    }
}
