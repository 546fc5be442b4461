// Halves: sixteen bits, of which products are made. Float16, or bfloat16 (FP_BRAIN): the upper half of a float32.
#pragma once

#ifdef FP_BRAIN
struct half
{
    unsigned short bits;
};

DEV half half_of(u32 pair, int which) { return {(unsigned short)(pair >> 16 * which)}; }
DEV float widen(half x) { return __builtin_bit_cast(float, (u32)x.bits << 16); }
DEV u32 pack2(float low, float high) { return brain2(low, high); }
DEV half narrow(float x) { return half_of(brain2(x, 0), 0); }
#else
typedef _Float16 half;
typedef half half2 __attribute__((ext_vector_type(2)));

DEV half half_of(u32 pair, int which) { return __builtin_bit_cast(half2, pair)[which]; }
DEV float widen(half x) { return (float)x; }
DEV u32 pack2(float low, float high) { return float16_2(low, high); }
DEV half narrow(float x) { return (half)x; }
#endif

// Eight halves, widened.
DEV void widen(const u32x4& raw, float (&r)[8])
{
    UNROLL for (int i = 0; i < 4; i++)
    {
        // By a variable: clang 19 takes the first word whichever element of a vector it is told to reinterpret.
        u32 word = raw[i];
        r[2 * i] = widen(half_of(word, 0));
        r[2 * i + 1] = widen(half_of(word, 1));
    }
}
