// What Hopper's kernels share: tensors as their maps describe them, and the ring of stages that copies fill and products empty.
#pragma once
#include "../common.h"
#ifdef FP_HOST
#include "../emulator/hopper.h"
#else
#include "device.h"
#endif

template <int M, int N> DEV void hold(float (&sums)[M][N])
{
    UNROLL for (int i = 0; i < M; i++) hold(sums[i]);
}

// The thread's number in its warpgroup, held in no register: nor is what follows from it.
DEV int thread_of_group()
{
    int thread = tid();
    hold(thread);
    return thread % 128;
}

// As cuTensorMapEncodeTiled writes it.
struct TensorMap
{
    u64 words[16];
};

// The stage of a step, and how often the ring has gone round.
template <int STAGES> struct Ring
{
    u32 stage, parity;
};

template <int STAGES> DEV void advance(Ring<STAGES>& ring)
{
    if (++ring.stage < STAGES) return;
    ring.stage = 0;
    ring.parity ^= 1;
}

// Swizzled rows want a multiple of 1024, more than dynamic shared memory promises.
DEV unsigned char* first_stage() { return smem() + (1024 - shared_address(smem()) % 1024) % 1024; }

// Where a matrix lies, for a descriptor.
DEV u32 describe(const half* matrix) { return (shared_address(matrix) & 0x3FFFF) >> 4 | 1 << 16; }
