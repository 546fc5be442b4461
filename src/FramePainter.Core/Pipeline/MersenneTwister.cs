namespace FramePainter.Pipeline;

/// <summary>MT19937 of Matsumoto and Nishimura (1998), 32 bits at a time, seeded by their <c>init_genrand</c>.</summary>
sealed class MersenneTwister
{
    const int Length = 624;
    const int Middle = 397;
    const uint UpperMask = 0x8000_0000;
    const uint LowerMask = 0x7FFF_FFFF;
    const uint Twist = 0x9908_B0DF;
    const uint SeedMultiplier = 1_812_433_253;

    readonly uint[] _state = new uint[Length];
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

        var y = _state[_next++];
        y ^= y >> 11;
        y ^= (y << 7) & 0x9D2C_5680;
        y ^= (y << 15) & 0xEFC6_0000;
        return y ^ (y >> 18);
    }

    void Refill()
    {
        var state = _state;
        for (var i = 0; i < Length; i++)
        {
            var y = (state[i] & UpperMask) | (state[(i + 1) % Length] & LowerMask);
            state[i] = state[(i + Middle) % Length] ^ (y >> 1) ^ (Twist & (0u - (y & 1)));
        }

        _next = 0;
    }
}
