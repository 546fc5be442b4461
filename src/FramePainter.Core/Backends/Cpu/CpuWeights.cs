using System.Collections.Concurrent;
using FramePainter.Graphs;
using FramePainter.Tensors;

namespace FramePainter.Backends.Cpu;

/// <summary>Which 3×3 convolutions of stride 1 run by Winograd's algorithm.</summary>
internal enum WinogradUse
{
    /// <summary>Those that it makes faster.</summary>
    WhereFaster,

    /// <summary>None.</summary>
    Never,

    /// <summary>Every one that it can compute.</summary>
    Always,
}

/// <summary>Weights of one checkpoint as CPU kernels want them, each packed once and shared by every plan.</summary>
/// <param name="source">Where they come from.</param>
/// <param name="numbers">In which numbers products are computed and their weights kept.</param>
/// <param name="winograd">Which 3×3 convolutions run by Winograd's algorithm.</param>
/// <param name="threads">Threads that may pack at once.</param>
/// <param name="countsOnly">Nothing is read or packed, only counted: for kernels that are never run.</param>
internal sealed class CpuWeights(IWeightSource source, ProductNumbers numbers, WinogradUse winograd = WinogradUse.WhereFaster, int threads = 1, bool countsOnly = false) : IWeightStore
{
    readonly MadeOnce<IDisposable> _packed = new();
    readonly MadeOnce<NativeBuffer> _vectors = new();
    readonly ConcurrentDictionary<string, float> _mixes = new(StringComparer.Ordinal);
    readonly HashSet<string> _counted = new(StringComparer.Ordinal);
    long _bytes;
    bool _disposed;

    /// <inheritdoc/>
    public long Bytes => Volatile.Read(ref _bytes);

    /// <summary>The instructions that kernels over these weights are made of; panels are as wide as they want.</summary>
    public Simd.InstructionPath Path => numbers.Path;

    /// <summary>In which numbers products are computed and their weights kept.</summary>
    public ProductNumbers Numbers => numbers;

    /// <summary>Which 3×3 convolutions run by Winograd's algorithm.</summary>
    public WinogradUse Winograd => winograd;

    /// <summary>Where unpacked weights come from.</summary>
    public IWeightSource Source => source;

    /// <summary>Threads that may pack at once.</summary>
    public int Threads => threads;

    /// <summary>Whether weights are only counted.</summary>
    public bool CountsOnly => countsOnly;

    /// <summary>The most that weights took at once while they were counted, with what they are packed from.</summary>
    public long PackingBytes { get; private set; }

    /// <summary>Counts a weight, once.</summary>
    /// <param name="key">Its key.</param>
    /// <param name="bytes">Bytes that it takes when packed.</param>
    /// <param name="packing">Bytes that it and what it is packed from take at once.</param>
    public void Count(string key, long bytes, long packing)
    {
        if (_counted.Add(key))
        {
            PackingBytes = Math.Max(PackingBytes, _bytes + packing);
            _bytes += bytes;
        }
    }

    /// <summary>A matrix in some packed form, made by <paramref name="pack"/> when it is first asked for.</summary>
    /// <typeparam name="T">The packed form.</typeparam>
    /// <param name="key">The matrix's key with the name of the form.</param>
    /// <param name="pack">Packs it; returns it with the bytes it takes.</param>
    public T Packed<T>(string key, Func<IWeightSource, (T Packed, long Bytes)> pack)
        where T : class, IDisposable
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        return (T)_packed.Get(key, () =>
        {
            var (packed, bytes) = pack(source);
            Interlocked.Add(ref _bytes, bytes);
            return packed;
        });
    }

    /// <summary>A vector widened to float32, padded with zeros to a multiple of 16 elements.</summary>
    /// <param name="vector">The vector.</param>
    public unsafe float* Vector(WeightVector vector)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        if (countsOnly)
        {
            Count(vector.Key, PaddedBytes(vector), PaddedBytes(vector) + vector.Tensors.Max(t => source.Describe(t).Bytes));
            return null;
        }

        return (float*)_vectors.Get(vector.Key, () => Load(vector)).Pointer;
    }

    /// <summary>A factor, with its learned scalar looked up.</summary>
    /// <param name="scale">The factor.</param>
    public float Scale(MixScale scale)
    {
        if (scale.Mix is null || countsOnly)
        {
            return scale.Constant;
        }

        return scale.Evaluate(_mixes.GetOrAdd(scale.Mix, name =>
        {
            using var handle = source.Open(name);
            Span<float> mix = stackalloc float[1];
            handle.View.CopyTo(0, mix);
            return mix[0];
        }));
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _disposed = true;
        foreach (var packed in _packed.Made.Concat(_vectors.Made))
        {
            packed.Dispose();
        }

        _packed.Clear();
        _vectors.Clear();
    }

    NativeBuffer Load(WeightVector vector)
    {
        var buffer = new NativeBuffer(PaddedBytes(vector));
        try
        {
            vector.Load(source).CopyTo(buffer.Span<float>(0, vector.Count));
        }
        catch
        {
            buffer.Dispose();
            throw;
        }

        Interlocked.Add(ref _bytes, buffer.Bytes);
        return buffer;
    }

    static long PaddedBytes(WeightVector vector) => (vector.Count + 15L) / 16 * 16 * sizeof(float);
}
