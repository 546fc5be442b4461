// What every kernel shares: types, views of values in float32 or halves, and functions.
// Included by each kernel; picks the device or the emulator underneath. Every source is compiled twice: a half is float16, or bfloat16 where
// FP_BRAIN says so, and the names of kernels then end with _bf16.
#pragma once
typedef unsigned int u32;
typedef unsigned long long u64;
typedef long long i64;
typedef float f32x2 __attribute__((ext_vector_type(2)));
typedef float f32x4 __attribute__((ext_vector_type(4)));
typedef u32 u32x4 __attribute__((ext_vector_type(4)));
#ifdef FP_BRAIN
#define FP_HALF "bf16"
#define FP_NAME(name) name##_bf16
constexpr bool BRAIN = true;
#else
#define FP_HALF "f16"
#define FP_NAME(name) name
constexpr bool BRAIN = false;
#endif
#define UNROLL _Pragma("unroll")
#ifdef FP_HOST
#include "emulator/emulator.h"
#else
#include "device.h"
#endif

#include "halves.h"

// A value in memory: its first element, and whether elements are halves (else float32).
struct View
{
    const void* data;
    int half;
    int unused;
};

// V consecutive elements, widened. V is 8 (element number a multiple of 8) or 1.
template <int V> DEV void load(const View& view, i64 at, float (&r)[V])
{
    if constexpr (V == 8)
    {
        if (view.half)
        {
            u32x4 raw = *(const u32x4*)((const half*)view.data + at);
            widen(raw, r);
        }
        else
        {
            f32x4 low = *(const f32x4*)((const float*)view.data + at), high = *(const f32x4*)((const float*)view.data + at + 4);
            UNROLL for (int i = 0; i < 4; i++)
            {
                r[i] = low[i];
                r[i + 4] = high[i];
            }
        }
    }
    else
    {
        r[0] = view.half ? widen(((const half*)view.data)[at]) : ((const float*)view.data)[at];
    }
}

DEV float load1(const View& view, i64 at)
{
    return view.half ? widen(((const half*)view.data)[at]) : ((const float*)view.data)[at];
}

template <int V> DEV void store(const View& view, i64 at, const float (&r)[V])
{
    if constexpr (V == 8)
    {
        if (view.half)
        {
            u32x4 raw = {pack2(r[0], r[1]), pack2(r[2], r[3]), pack2(r[4], r[5]), pack2(r[6], r[7])};
            *(u32x4*)((half*)view.data + at) = raw;
        }
        else
        {
            f32x4 low = {r[0], r[1], r[2], r[3]}, high = {r[4], r[5], r[6], r[7]};
            *(f32x4*)((float*)view.data + at) = low;
            *(f32x4*)((float*)view.data + at + 4) = high;
        }
    }
    else if (view.half)
    {
        ((half*)view.data)[at] = narrow(r[0]);
    }
    else
    {
        ((float*)view.data)[at] = r[0];
    }
}

DEV float warp_sum(float v)
{
    UNROLL for (int mask = 16; mask > 0; mask >>= 1) v += shfl_xor(v, mask);
    return v;
}

DEV float warp_max(float v)
{
    UNROLL for (int mask = 16; mask > 0; mask >>= 1) v = __builtin_fmaxf(v, shfl_xor(v, mask));
    return v;
}

// The sum over a block of whole warps, to every thread; scratch holds one float a warp.
DEV float block_sum(float v, float* scratch)
{
    v = warp_sum(v);
    sync();
    if (tid() % 32 == 0) scratch[tid() / 32] = v;
    sync();
    float sum = 0;
    for (int w = 0; w < threads() / 32; w++) sum += scratch[w];
    return sum;
}

enum Activation { ACT_NONE, ACT_SILU, ACT_GELU, ACT_QUICK_GELU, ACT_RELU, ACT_GEGLU };

constexpr float LOG2E = 1.44269504088896340736f;

DEV float sigmoid(float x) { return rcp(1.0f + ex2(-x * LOG2E)); }

// The upper tail of the normal distribution, Q(x) for x >= 0: x's Gaussian times a rational function of 1/(1 + px)
// (Abramowitz and Stegun 7.1.26 for erfc; absolute error below 1e-7).
DEV float normal_tail(float x)
{
    float z = x * 0.70710678118654752440f;
    float t = rcp(1.0f + 0.3275911f * z);
    float poly = t * (0.254829592f + t * (-0.284496736f + t * (1.421413741f + t * (-1.453152027f + t * 1.061405429f))));
    return 0.5f * poly * ex2(-z * z * LOG2E);
}

DEV float gelu(float x)
{
    float tail = normal_tail(__builtin_fabsf(x));
    return x * (x < 0 ? tail : 1.0f - tail);
}

DEV float activate(int activation, float x)
{
    switch (activation)
    {
    case ACT_SILU: return x * sigmoid(x);
    case ACT_GELU: return gelu(x);
    case ACT_QUICK_GELU: return x * sigmoid(1.702f * x);
    case ACT_RELU: return x < 0 ? 0.0f : x;
    default: return x;
    }
}

// The same function of eight numbers, picked once.
DEV void activate_all(int activation, float (&r)[8])
{
    switch (activation)
    {
    case ACT_SILU: UNROLL for (int i = 0; i < 8; i++) r[i] *= sigmoid(r[i]); break;
    case ACT_GELU: UNROLL for (int i = 0; i < 8; i++) r[i] = gelu(r[i]); break;
    case ACT_QUICK_GELU: UNROLL for (int i = 0; i < 8; i++) r[i] *= sigmoid(1.702f * r[i]); break;
    case ACT_RELU: UNROLL for (int i = 0; i < 8; i++) r[i] = r[i] < 0 ? 0.0f : r[i]; break;
    default: break;
    }
}

// The row that an image reads where images share rows in equal runs. Both are a few: a division of 64 bits would be a call.
DEV int shared_row(int image, int images, int rows) { return (int)((u32)image * (u32)rows / (u32)images); }

// The row of a table that an image reads: alternating, or in equal runs.
DEV int row_of(int image, int images, int rows, int by_frame) { return by_frame ? image % rows : shared_row(image, images, rows); }
