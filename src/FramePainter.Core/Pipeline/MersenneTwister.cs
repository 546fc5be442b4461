using System.Diagnostics;
using System.Numerics;
using System.Runtime.CompilerServices;

namespace FramePainter.Pipeline;

/// <summary>MT19937 of Matsumoto and Nishimura (1998), 32 bits at a time, seeded by their <c>init_genrand</c>.</summary>
sealed class MersenneTwister
{
    const int Length = 624;
    const int Middle = 397;
    const uint UpperMask = 0x8000_0000;
    const uint LowerMask = 0x7FFF_FFFF;
    const uint TwistMask = 0x9908_B0DF;
    const uint TemperLow = 0x9D2C_5680;
    const uint TemperHigh = 0xEFC6_0000;
    const uint SeedMultiplier = 1_812_433_253;

    readonly uint[] _state = new uint[Length];
    readonly uint[] _tempered = new uint[Length];
    int _next;

    /// <summary>Seeds the generator.</summary>
    public MersenneTwister(uint seed)
    {
        _state[0] = seed;
        for (var i = 1; i < Length; i++)
        {
            var previous = _state[i - 1];
            _state[i] = (SeedMultiplier * (previous ^ (previous >> 30))) + (uint)i;
        }

        _next = Length;
    }

    /// <summary>The next 32 random bits.</summary>
    public uint Next()
    {
        if (_next == Length)
        {
            Refill();
        }

        return _tempered[_next++];
    }

    /// <summary>The next of them, as many as fit.</summary>
    public void Next(Span<uint> destination)
    {
        while (!destination.IsEmpty)
        {
            if (_next == Length)
            {
                Refill();
            }

            var count = Math.Min(destination.Length, Length - _next);
            _tempered.AsSpan(_next, count).CopyTo(destination);
            destination = destination[count..];
            _next += count;
        }
    }

    void Refill()
    {
        // A word needs the next one as it was, and the one that is Middle further: as it was up to the end, and from there on those that are new by then.
        const int ToTheEnd = Length - Middle;
        var state = _state.AsSpan();
        TwistAll(state[..ToTheEnd], state[1..], state[Middle..]);
        TwistAll(state[ToTheEnd..^1], state[(ToTheEnd + 1)..], state);
        state[^1] = Twisted(state[^1], state[0], state[Middle - 1]);
        TemperAll(state, _tempered);
        _next = 0;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    static void TwistAll(Span<uint> words, ReadOnlySpan<uint> next, ReadOnlySpan<uint> middle)
    {
        var i = 0;
        for (; i + Vector<uint>.Count <= words.Length; i += Vector<uint>.Count)
        {
            var y = (new Vector<uint>(words[i..]) & new Vector<uint>(UpperMask)) | (new Vector<uint>(next[i..]) & new Vector<uint>(LowerMask));
            var odd = Vector<uint>.Zero - (y & Vector<uint>.One);
            (new Vector<uint>(middle[i..]) ^ (y >>> 1) ^ (odd & new Vector<uint>(TwistMask))).CopyTo(words[i..]);
        }

        for (; i < words.Length; i++)
        {
            words[i] = Twisted(words[i], next[i], middle[i]);
        }
    }

    static uint Twisted(uint word, uint next, uint middle)
    {
        var y = (word & UpperMask) | (next & LowerMask);
        return middle ^ (y >> 1) ^ (TwistMask & (0u - (y & 1)));
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    static void TemperAll(ReadOnlySpan<uint> state, Span<uint> tempered)
    {
        var i = 0;
        for (; i + Vector<uint>.Count <= state.Length; i += Vector<uint>.Count)
        {
            var y = new Vector<uint>(state[i..]);
            y ^= y >>> 11;
            y ^= (y << 7) & new Vector<uint>(TemperLow);
            y ^= (y << 15) & new Vector<uint>(TemperHigh);
            (y ^ (y >>> 18)).CopyTo(tempered[i..]);
        }

        Debug.Assert(i == state.Length, "A state is whole vectors, of up to 16 words.");
    }
}
