using System.Runtime.InteropServices;
using FramePainter.Tensors;

namespace FramePainter.Weights;

/// <summary>
/// Fills tensors with normally distributed values, a gigabyte in about a second: a counter-based hash picks entries from a table of
/// quantiles that is scaled and converted once a tensor. A value depends on seed, name and index alone.
/// </summary>
sealed class GaussianFiller
{
    const int RadiusSteps = 128, AngleSteps = 64, Entries = RadiusSteps * AngleSteps;
    static readonly float[] s_normal = Normal();
    readonly float[] _single = new float[Entries];
    readonly ushort[] _narrow = new ushort[Entries];
    readonly DType _type;
    readonly ulong _key;

    /// <summary>Prepares the values of one tensor.</summary>
    /// <param name="seed">The checkpoint's seed.</param>
    /// <param name="name">The tensor's name.</param>
    /// <param name="type">F32, F16 or BF16.</param>
    /// <param name="mean">Mean of the values.</param>
    /// <param name="deviation">Their standard deviation.</param>
    public GaussianFiller(ulong seed, string name, DType type, double mean, double deviation)
    {
        _type = type;

        // FNV-1a over the name, then mixed with the seed.
        var hash = 14695981039346656037UL;
        foreach (var c in name)
        {
            hash = (hash ^ c) * 1099511628211UL;
        }

        _key = Mix(hash ^ Mix(seed));
        for (var i = 0; i < Entries; i++)
        {
            _single[i] = (float)(mean + (deviation * s_normal[i]));
        }

        if (type == DType.F16)
            HalfConversion.NarrowF16(_single, _narrow);
        else if (type == DType.BF16)
            HalfConversion.NarrowBF16(_single, _narrow);
    }

    /// <summary>Writes consecutive values.</summary>
    /// <param name="first">Index of the first; a multiple of 4.</param>
    /// <param name="destination">Receives them as bytes; a whole number of elements.</param>
    public void Fill(long first, Span<byte> destination)
    {
        if (_type == DType.F32)
            Fill<float>(first, MemoryMarshal.Cast<byte, float>(destination), _single);
        else
            Fill<ushort>(first, MemoryMarshal.Cast<byte, ushort>(destination), _narrow);
    }

    void Fill<T>(long first, Span<T> destination, ReadOnlySpan<T> table)
    {
        const int mask = Entries - 1;
        var counter = (ulong)first / 4;
        var i = 0;
        for (; i + 4 <= destination.Length; i += 4)
        {
            var bits = Mix(_key + counter++);
            destination[i] = table[(int)bits & mask];
            destination[i + 1] = table[(int)(bits >> 16) & mask];
            destination[i + 2] = table[(int)(bits >> 32) & mask];
            destination[i + 3] = table[(int)(bits >> 48) & mask];
        }

        for (var last = Mix(_key + counter); i < destination.Length; i++, last >>= 16)
        {
            destination[i] = table[(int)last & mask];
        }
    }

    // SplitMix64's output function on a Weyl sequence.
    static ulong Mix(ulong value)
    {
        value *= 0x9E3779B97F4A7C15;
        value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9;
        value = (value ^ (value >> 27)) * 0x94D049BB133111EB;
        return value ^ (value >> 31);
    }

    // Box-Muller over a grid of its two uniforms: every entry is equally likely, and mean and variance come out as they should.
    static float[] Normal()
    {
        var table = new float[Entries];
        for (var i = 0; i < Entries; i++)
        {
            var radius = Math.Sqrt(-2 * Math.Log((i / AngleSteps + 0.5) / RadiusSteps));
            table[i] = (float)(radius * Math.Cos(2 * Math.PI * ((i % AngleSteps) + 0.5) / AngleSteps));
        }

        return table;
    }
}
