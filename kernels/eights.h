// Eight channels of a position, fetched as they lie in memory and widened when they are used: several fetches are under way at once.
#pragma once
#include "common.h"

template <bool HALF> struct Eight
{
    u32x4 words[HALF ? 1 : 2];
};

// How many positions a thread asks for before it uses the first: the same bytes either way.
template <bool HALF> constexpr int BATCH = HALF ? 4 : 2;

// The element number is a multiple of 8.
template <bool HALF> DEV Eight<HALF> fetch(const void* data, i64 at)
{
    const u32x4* from = (const u32x4*)((const char*)data + at * (HALF ? 2 : 4));
    Eight<HALF> r;
    UNROLL for (int i = 0; i < (HALF ? 1 : 2); i++) r.words[i] = from[i];
    return r;
}

template <bool HALF> DEV void widen(const Eight<HALF>& eight, float (&r)[8])
{
    if constexpr (HALF)
    {
        widen(eight.words[0], r);
    }
    else
    {
        UNROLL for (int i = 0; i < 8; i++)
        {
            u32 word = eight.words[i / 4][i % 4];
            r[i] = __builtin_bit_cast(float, word);
        }
    }
}
