using FramePainter.Backends;
using FramePainter.Graphs;
using FramePainter.Tensors;
using ILGPU;

namespace FramePainter.Ilgpu;

/// <summary>Weights of one checkpoint in a device's memory, each packed once and shared by every plan.</summary>
internal sealed class IlgpuWeights(IlgpuBackend backend, IWeightSource source, WeightStorage storage) : IWeightStore
{
    readonly MadeOnce<DeviceMatrix> _matrices = new();
    readonly MadeOnce<DeviceBlock<float>> _vectors = new();
    long _bytes;
    bool _disposed;

    /// <inheritdoc/>
    public long Bytes => Volatile.Read(ref _bytes);

    /// <summary>The most bytes of the host that a matrix is packed from and in, of those counted so far.</summary>
    public long LargestPacking { get; private set; }

    /// <summary>Whose memory it is.</summary>
    public IlgpuBackend Backend => backend;

    /// <summary>A matrix.</summary>
    /// <param name="matrix">Which one.</param>
    /// <param name="gated">The outputs' second half are gates of the first.</param>
    public DeviceMatrix Matrix(WeightMatrix matrix, bool gated)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        return _matrices.Get(gated ? $"{matrix.Key}:gated" : matrix.Key, () =>
        {
            var packed = DeviceMatrix.Pack(backend, source, matrix, gated, storage);
            if (backend.Counts)
            {
                LargestPacking = Math.Max(LargestPacking, packed.Bytes + matrix.Tensors.Max(t => DeviceMatrix.UnpackedBytes(source.Describe(t), packed.Type)));
            }

            Interlocked.Add(ref _bytes, packed.Bytes);
            return packed;
        });
    }

    /// <summary>A vector as float32.</summary>
    /// <param name="vector">Which one.</param>
    public ArrayView<float> Vector(WeightVector vector) => Table(vector.Key, vector.Count, () => vector.Load(source));

    /// <summary>Numbers that belong to kernels.</summary>
    /// <param name="key">Their name.</param>
    /// <param name="count">How many they are.</param>
    /// <param name="make">Makes them when they are first asked for.</param>
    public ArrayView<float> Table(string key, int count, Func<float[]> make)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        return _vectors.Get(key, () =>
        {
            var block = backend.Allocate<float>(count, held => new DeviceMemory(held, 0, 0));
            try
            {
                backend.CopyIn<float>(block.View, backend.Counts ? [] : make());
            }
            catch
            {
                block.Dispose();
                throw;
            }

            Interlocked.Add(ref _bytes, block.Bytes);
            return block;
        }).View;
    }

    /// <summary>A factor, with its learned scalar looked up.</summary>
    /// <param name="scale">The factor.</param>
    public float Scale(MixScale scale)
    {
        if (scale.Mix is null || backend.Counts)
        {
            return scale.Constant;
        }

        using var handle = source.Open(scale.Mix);
        var mix = new float[1];
        handle.View.CopyTo(0, mix);
        return scale.Evaluate(mix[0]);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (_disposed)
        {
            return;
        }

        _disposed = true;
        foreach (var matrix in _matrices.Made)
        {
            matrix.Dispose();
        }

        foreach (var vector in _vectors.Made)
        {
            vector.Dispose();
        }
    }
}
