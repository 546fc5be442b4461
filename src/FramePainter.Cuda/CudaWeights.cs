using System.Runtime.InteropServices;
using FramePainter.Backends;
using FramePainter.Cuda.Driver;
using FramePainter.Cuda.Streaming;
using FramePainter.Graphs;
using FramePainter.Tensors;

namespace FramePainter.Cuda;

/// <summary>Weights of one checkpoint on one device, each packed once: matrices as halves, vectors as float32.</summary>
internal sealed class CudaWeights : IWeightStore, IPlanWeights
{
    readonly CudaContext _context;
    readonly IWeightSource _source;
    readonly MadeOnce<DeviceBlock> _blocks = new();
    long _bytes;
    bool _disposed;

    /// <summary>Creates an empty store.</summary>
    /// <param name="context">The device.</param>
    /// <param name="source">Where weights come from.</param>
    /// <param name="matrixShare">Bytes of the device that matrices may fill, the rest staying on the host; null keeps all on the device.</param>
    public CudaWeights(CudaContext context, IWeightSource source, long? matrixShare)
    {
        (_context, _source) = (context, source);
        Host = matrixShare is { } share ? new HostWeights(context, share) : null;
    }

    /// <inheritdoc/>
    public long Bytes => Volatile.Read(ref _bytes) + (Host?.ResidentBytes ?? 0);

    /// <summary>The matrices, where they are kept on the host.</summary>
    public HostWeights? Host { get; }

    /// <summary>A packed matrix's key.</summary>
    public static string MatrixKey(WeightMatrix matrix, MatrixForm form) => $"{matrix.Key}:{form}";

    /// <summary>The most bytes of the host that a matrix is packed from and in, of those counted so far.</summary>
    public long LargestPacking { get; private set; }

    /// <summary>Bytes of a packed matrix.</summary>
    public int MatrixBytes(WeightMatrix matrix, MatrixForm form)
    {
        var bytes = checked(PackedMatrix.Elements(matrix, form) * 2);
        if (_context.Counts)
        {
            LargestPacking = Math.Max(LargestPacking, bytes + matrix.Tensors.Max(t => _source.Describe(t).Bytes));
        }

        return bytes;
    }

    /// <summary>Packs a matrix.</summary>
    public Span<byte> PackMatrix(WeightMatrix matrix, MatrixForm form) => MemoryMarshal.AsBytes(PackedMatrix.Pack(_source, matrix, form, _context.Halves).AsSpan());

    /// <inheritdoc/>
    public ulong Matrix(WeightMatrix matrix, MatrixForm form) => Get(MatrixKey(matrix, form), MatrixBytes(matrix, form), () => PackMatrix(matrix, form));

    /// <inheritdoc/>
    public void BeginOp(int launches)
    {
        // All weights are in place before and after.
    }

    /// <inheritdoc/>
    public ulong Vector(WeightVector? vector, bool gated = false) =>
        vector is null ? 0 : Get($"{vector.Key}:{(gated ? "gated vector" : "vector")}", vector.Count * sizeof(float), () =>
        {
            var values = vector.Load(_source);
            if (gated)
            {
                values = [.. Enumerable.Range(0, values.Length).Select(i => values[(i / 2) + (i % 2 * values.Length / 2)])];
            }

            return MemoryMarshal.AsBytes(values.AsSpan());
        });

    /// <inheritdoc/>
    public ulong Vectors(params ReadOnlySpan<WeightVector> vectors)
    {
        var all = vectors.ToArray();
        return Get(string.Join('&', all.Select(v => v.Key)), all.Sum(v => v.Count) * sizeof(float), () => MemoryMarshal.AsBytes(all.SelectMany(v => v.Load(_source)).ToArray().AsSpan()));
    }

    /// <inheritdoc/>
    public ulong Constants(string key, int count, Func<double[]> make) => Get(key, count * sizeof(double), () => MemoryMarshal.AsBytes(make().AsSpan()));

    /// <inheritdoc/>
    public float Scale(MixScale scale)
    {
        if (scale.Mix is null || _context.Counts)
        {
            return scale.Constant;
        }

        using var handle = _source.Open(scale.Mix);
        Span<float> mix = stackalloc float[1];
        handle.View.CopyTo(0, mix);
        return scale.Evaluate(mix[0]);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _disposed = true;
        foreach (var block in _blocks.Made)
        {
            block.Dispose();
        }

        _blocks.Clear();
        Host?.Dispose();
    }

    ulong Get(string key, int bytes, Packing pack)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        return _blocks.Get(key, () =>
        {
            var block = _context.Pool.Rent(new DeviceMemory(bytes, 0, 0));
            try
            {
                if (!_context.Counts)
                {
                    var packed = pack();
                    _context.Upload(block.Address, packed.Length == bytes ? packed : throw new InvalidOperationException($"{key} takes {packed.Length} bytes; {bytes} were counted."));
                }
            }
            catch
            {
                block.Dispose();
                throw;
            }

            Interlocked.Add(ref _bytes, block.Bytes);
            return block;
        }).Address;
    }
}
