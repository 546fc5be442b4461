using FramePainter.Backends;
using FramePainter.Graphs;
using FramePainter.Tensors;

namespace FramePainter.Conformance;

/// <summary>The oracle behind the contract of all backends: floats at the border, doubles between ops.</summary>
internal sealed class OracleBackend : IBackend
{
    public string Description => "Oracle, double precision";

    public IWeightStore CreateStore(IWeightSource source) => new OracleStore(source);

    public IDeviceBuffer Allocate(long bytes) => new OracleBuffer(bytes);

    public IExecutable Compile(Plan plan, IWeightStore weights)
    {
        var source = ((OracleStore)weights).Source;
        var read = new OracleWeights(source);
        foreach (var product in plan.Graph.Ops.OfType<ProductOp>())
        {
            read.Matrix(product.Weight);
            if (product.Bias is { } bias)
            {
                read.Vector(bias);
            }
        }

        foreach (var norm in plan.Graph.Ops.OfType<GroupNormOp>())
        {
            read.Vector(norm.Gamma);
        }

        return new OracleExecutable(plan, source);
    }

    public void Dispose()
    {
    }

    sealed class OracleStore(IWeightSource source) : IWeightStore
    {
        public IWeightSource Source => source;

        public long Bytes => 0;

        public void Dispose()
        {
        }
    }

    sealed class OracleBuffer(long bytes) : IDeviceBuffer
    {
        readonly float[] _floats = new float[(bytes + sizeof(float) - 1) / sizeof(float)];

        public long Bytes => bytes;

        public void Write(ReadOnlySpan<float> source, long byteOffset = 0) => source.CopyTo(_floats.AsSpan((int)(byteOffset / sizeof(float))));

        public void Read(Span<float> destination, long byteOffset = 0) => _floats.AsSpan((int)(byteOffset / sizeof(float)), destination.Length).CopyTo(destination);

        public void Dispose()
        {
        }
    }

    sealed class OracleExecutable(Plan plan, IWeightSource weights) : IExecutable
    {
        readonly Dictionary<Value, (IDeviceBuffer Buffer, long Offset)> _bound = [];
        bool _disposed;

        public Plan Plan => plan;

        public long Bytes => plan.ArenaBytes;

        public void Bind(Value value, IDeviceBuffer buffer, long byteOffset = 0)
        {
            if (byteOffset % 16 != 0 || byteOffset < 0 || byteOffset + value.Bytes > buffer.Bytes)
            {
                throw new ArgumentOutOfRangeException(nameof(byteOffset), $"{value} does not fit at {byteOffset} of {buffer.Bytes} bytes.");
            }

            _bound[value] = (buffer, byteOffset);
        }

        public void Run(CancellationToken cancel = default)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            foreach (var value in plan.Graph.Inputs.Concat(plan.Graph.Outputs).Where(v => !_bound.ContainsKey(v)))
            {
                throw new InvalidOperationException($"{value} of '{plan.Graph.Name}' is not bound.");
            }

            var inputs = plan.Graph.Inputs.ToDictionary(v => v, v =>
            {
                var floats = new float[v.Shape.Count];
                _bound[v].Buffer.Read(floats, _bound[v].Offset);
                return Array.ConvertAll(floats, x => (double)x);
            });
            var results = Oracle.Run(plan.Graph, inputs, weights, cancel);
            foreach (var output in plan.Graph.Outputs)
            {
                _bound[output].Buffer.Write(Array.ConvertAll(results[output], x => (float)x), _bound[output].Offset);
            }
        }

        public void Dispose() => _disposed = true;
    }
}
