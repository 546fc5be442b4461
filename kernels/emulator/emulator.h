// The emulator's side of the prelude: a block is as many fibers as it has threads, run in turn on one core; other cores run other blocks.
// Barriers and warp collectives pass control on until all have arrived; asynchronous copies are made either at once
// or as late as their wait allows, so that a missing wait and a missing barrier both show.
#pragma once
#include "cores.h"
#include <cmath>
#include <cstring>
#define DEV static inline __attribute__((always_inline, unused))
#define __shared__

namespace emulator
{
struct Thread;
extern OF_CORE Thread* current;

struct Place
{
    int tid, bid_x, bid_y, bid_z, threads;
    unsigned char* shared;
    unsigned long shared_bytes;
};

extern OF_CORE Place place;

void barrier();
void warp_barrier();
float shuffle_xor(float value, int mask);
void copy16(void* to, const void* from, bool valid);
void commit();
void wait(int groups);
void load_matrices(u32* r, const void* row, bool transposed);
void multiply(float* c, const u32* a, u32 b0, u32 b1, bool brain);

struct Kernel
{
    Kernel(const char* name, void (*run)(void** parameters), int most_threads, int argument_bytes);
    const char* name;
    void (*run)(void**);
    int most_threads, argument_bytes;
    Kernel* next;
};
}

#define FP_KERNEL(name, threads, blocks, Args, a) \
    static void name(const Args a); \
    static emulator::Kernel registered_##name(BRAIN ? #name "_bf16" : #name, [](void** p) { name(*(const Args*)p[0]); }, threads, sizeof(Args)); \
    static void name(const Args a)

DEV unsigned char* smem() { return emulator::place.shared; }
DEV int tid() { return emulator::place.tid; }
DEV int threads() { return emulator::place.threads; }
DEV int bid_x() { return emulator::place.bid_x; }
DEV int bid_y() { return emulator::place.bid_y; }
DEV int bid_z() { return emulator::place.bid_z; }
DEV void sync() { emulator::barrier(); }
DEV void sync_warp() { emulator::warp_barrier(); }
DEV float shfl_xor(float v, int mask) { return emulator::shuffle_xor(v, mask); }
DEV float ex2(float x)
{
    float power = exp2f(x);
    return power < 0x1p-126f ? 0.0f : power;
}

DEV float rcp(float x) { return 1.0f / x; }
DEV float mul_rn(float a, float b)
{
#pragma clang fp contract(off)
    return a * b;
}

// Two floats as bfloat16, rounded to nearest even, NaN as the device writes it; the first in the lower half.
DEV u32 brain2(float low, float high)
{
    u32 pair = 0;
    for (int i = 0; i < 2; i++)
    {
        u32 bits = __builtin_bit_cast(u32, i ? high : low);
        bits = (bits & 0x7FFFFFFF) > 0x7F800000 ? 0x7FFF : (bits + 0x7FFF + (bits >> 16 & 1)) >> 16;
        pair |= bits << 16 * i;
    }

    return pair;
}

DEV u32 float16_2(float low, float high)
{
    _Float16 pair[2] = {(_Float16)low, (_Float16)high};
    return __builtin_bit_cast(u32, pair);
}

DEV void hold(u32x4&) {}
DEV void hold(int&) {}
template <int N> DEV void hold(float (&)[N]) {}
DEV void cp_async16(void* to, const void* from, bool valid) { emulator::copy16(to, from, valid); }
DEV void cp_commit() { emulator::commit(); }
template <int N> DEV void cp_wait() { emulator::wait(N); }
DEV void ldsm4(u32 (&r)[4], const void* row) { emulator::load_matrices(r, row, false); }
DEV void ldsm4t(u32 (&r)[4], const void* row) { emulator::load_matrices(r, row, true); }
DEV void mma16816(float (&c)[4], const u32 (&a)[4], u32 b0, u32 b1) { emulator::multiply(c, a, b0, b1, BRAIN); }
