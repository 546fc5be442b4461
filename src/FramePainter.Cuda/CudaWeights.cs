using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using FramePainter.Backends;
using FramePainter.Cuda.Driver;
using FramePainter.Graphs;
using FramePainter.Tensors;

namespace FramePainter.Cuda;

/// <summary>Weights of one checkpoint on one device, each packed once: matrices as float16, vectors as float32.</summary>
internal sealed class CudaWeights(CudaContext context, IWeightSource source) : IWeightStore
{
    readonly ConcurrentDictionary<string, Lazy<DeviceBlock>> _blocks = new(StringComparer.Ordinal);
    long _bytes;
    bool _disposed;

    /// <inheritdoc/>
    public long Bytes => Volatile.Read(ref _bytes);

    /// <summary>Address of a packed matrix, see <see cref="PackedMatrix"/>.</summary>
    /// <param name="matrix">The matrix.</param>
    /// <param name="gated">Rows of the second half lie between those of the first.</param>
    public ulong Matrix(WeightMatrix matrix, bool gated) =>
        Get($"{matrix.Key}:{(gated ? "gated" : "plain")}", () => MemoryMarshal.AsBytes(PackedMatrix.Pack(source, matrix, gated).AsSpan()));

    /// <summary>Address of a vector in float32; 0 for none.</summary>
    /// <param name="vector">The vector.</param>
    /// <param name="gated">Elements of the second half lie between those of the first.</param>
    public ulong Vector(WeightVector? vector, bool gated = false) =>
        vector is null ? 0 : Get($"{vector.Key}:{(gated ? "gated vector" : "vector")}", () =>
        {
            var values = Load(vector);
            if (gated)
            {
                values = [.. Enumerable.Range(0, values.Length).Select(i => values[(i / 2) + (i % 2 * values.Length / 2)])];
            }

            return MemoryMarshal.AsBytes(values.AsSpan());
        });

    /// <summary>Address of several vectors, one behind the other.</summary>
    public ulong Vectors(params ReadOnlySpan<WeightVector> vectors)
    {
        var all = vectors.ToArray();
        return Get(string.Join('&', all.Select(v => v.Key)), () => MemoryMarshal.AsBytes(all.SelectMany(Load).ToArray().AsSpan()));
    }

    /// <summary>Address of constants made by the caller.</summary>
    public ulong Constants(string key, Func<double[]> make) => Get(key, () => MemoryMarshal.AsBytes(make().AsSpan()));

    /// <summary>A factor, with its learned scalar looked up.</summary>
    public float Scale(MixScale scale)
    {
        if (scale.Mix is null)
        {
            return scale.Constant;
        }

        using var handle = source.Open(scale.Mix);
        Span<float> mix = stackalloc float[1];
        handle.View.CopyTo(0, mix);
        return scale.Evaluate(mix[0]);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _disposed = true;
        foreach (var block in _blocks.Values.Where(b => b.IsValueCreated))
        {
            block.Value.Dispose();
        }

        _blocks.Clear();
    }

    delegate Span<byte> Pack();

    ulong Get(string key, Pack pack)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        return _blocks.GetOrAdd(key, _ => new Lazy<DeviceBlock>(() =>
        {
            var bytes = pack();
            var block = context.Pool.Rent(bytes.Length);
            context.Upload(block.Address, bytes);
            Interlocked.Add(ref _bytes, block.Bytes);
            return block;
        })).Value.Address;
    }

    float[] Load(WeightVector vector)
    {
        var values = new float[vector.Count];
        var at = 0;
        foreach (var name in vector.Tensors)
        {
            using var handle = source.Open(name);
            var view = handle.View;
            var whole = vector.Tensors.Length == 1 || vector.Join == VectorJoin.Sum;
            var count = whole ? vector.Count : checked((int)view.Shape.Count);
            var first = whole ? vector.First : 0;
            if (first + count > view.Shape.Count || at + count > values.Length)
            {
                throw new CheckpointException($"Tensor '{name}' has {view.Shape.Count} elements, which do not make {vector.Count} from {first} on.", tensor: name);
            }

            var part = new float[count];
            view.CopyTo(first, part);
            for (var i = 0; i < count; i++)
            {
                values[at + i] += part[i];
            }

            at += whole ? 0 : count;
        }

        return values;
    }
}
