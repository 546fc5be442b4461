// Between pictures of 8-bit numbers in pinned memory of the host and float32 values on the device: what crosses the bus are bytes.
// Bits are those of the processor: products and sums are rounded one by one.
#include "common.h"

typedef unsigned char u8;

struct PictureInArgs
{
    float* out;
    const float* values;
    const u8* pixels;
    const float* noise;
    i64 positions;
    float strength;
    int unused;
};

// What each of the 256 numbers becomes, next to the threads: values lie on the host.
DEV const float* table_of(const float* values)
{
    float* table = (float*)smem();
    table[tid()] = values[tid()];
    sync();
    return table;
}

// [positions][3] numbers; noise, if any, is [3][positions]. Four positions a thread.
FP_KERNEL(picture_in_4, 256, 2, PictureInArgs, a)
{
    const float* table = table_of(a.values);
    i64 at = ((i64)bid_x() * 256 + tid()) * 4;
    if (at >= a.positions) return;
    const u32* words = (const u32*)(a.pixels + 3 * at);
    float x[12];
    UNROLL for (int w = 0; w < 3; w++)
    {
        u32 word = words[w];
        UNROLL for (int i = 0; i < 4; i++) x[4 * w + i] = table[word >> (8 * i) & 255];
    }

    if (a.noise)
    {
        UNROLL for (int c = 0; c < 3; c++)
        {
            f32x4 n = *(const f32x4*)(a.noise + c * a.positions + at);
            UNROLL for (int i = 0; i < 4; i++) x[3 * i + c] += mul_rn(a.strength, n[i]);
        }
    }

    UNROLL for (int w = 0; w < 3; w++)
    {
        f32x4 four = {x[4 * w], x[4 * w + 1], x[4 * w + 2], x[4 * w + 3]};
        *(f32x4*)(a.out + 3 * at + 4 * w) = four;
    }
}

// Its plain twin, for any number of positions.
FP_KERNEL(picture_in_1, 256, 2, PictureInArgs, a)
{
    i64 at = (i64)bid_x() * 256 + tid();
    if (at >= a.positions) return;
    for (int c = 0; c < 3; c++)
    {
        float x = a.values[a.pixels[3 * at + c]];
        if (a.noise) x += mul_rn(a.strength, a.noise[c * a.positions + at]);
        a.out[3 * at + c] = x;
    }
}

struct PictureOutArgs
{
    const float* values;
    u8* pixels;
    int* broken;
    i64 count;
};

// (x/2 + 1/2, halved without error) within 0 to 1, times 255, rounded half to even. A value that is no number is noted: all that note one write the same.
DEV u32 byte_of(float x, int* broken)
{
    float unit = x / 2 + 0.5f;
    if (!(unit == unit)) *broken = 1;
    unit = unit > 0 ? unit : 0.0f;
    unit = unit < 1 ? unit : 1.0f;
    return (u32)(int)__builtin_rintf(unit * 255.0f);
}

// Sixteen values a thread.
FP_KERNEL(picture_out_16, 256, 2, PictureOutArgs, a)
{
    i64 at = ((i64)bid_x() * 256 + tid()) * 16;
    if (at >= a.count) return;
    u32x4 words;
    UNROLL for (int w = 0; w < 4; w++)
    {
        f32x4 x = *(const f32x4*)(a.values + at + 4 * w);
        u32 word = 0;
        UNROLL for (int i = 0; i < 4; i++) word |= byte_of(x[i], a.broken) << (8 * i);
        words[w] = word;
    }

    *(u32x4*)(a.pixels + at) = words;
}

// Its plain twin, for any number of values.
FP_KERNEL(picture_out_1, 256, 2, PictureOutArgs, a)
{
    i64 at = (i64)bid_x() * 256 + tid();
    if (at < a.count) a.pixels[at] = (u8)byte_of(a.values[at], a.broken);
}
