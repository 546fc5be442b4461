// What Hopper adds to the emulator's side of the prelude: barriers in shared memory that count arrivals and bytes, an engine
// that copies boxes of tensors, and products of four warps that run beside their threads. Copies and products are done either when
// they are issued or as late as their wait allows, each by a switch of its own.
#pragma once
#include "../hopper/descriptor.h"
#define FP_ALIGNED_ARGUMENT
#define FP_ARGUMENT(kernel, a) ((u64)&a)
#define FP_ARGUMENT_OF(kernel)

namespace emulator
{
// Holds the thread's warp back, where the emulator is told to.
void linger();
u32 shared_address(const void* p);
void barrier_init(u64* barrier, int arrivals);
void barrier_publish();
void barrier_arrive(u64* barrier, int bytes);
void barrier_wait(u64* barrier, int parity);
void tensor_load(void* to, u64 map, u64* barrier, int rank, const int* at);
void await_launches();
void tensor_store(const void* from, u64 map, int rank, const int* at);
void tensor_stores_commit();
void tensor_stores_read();
void tensors_publish();
void products_fence();
void products_commit();
void products_wait(int groups);
void warpgroup_multiply(float* sums, int n, u64 left, u64 right, bool accumulate, bool brain);
void warpgroup_multiply_rows(float* sums, int n, const u32* left, u64 right, bool brain);
void sync_group();
extern int blocks;
}

DEV void let_next_begin() {}
DEV void await_launches() { emulator::await_launches(); }
DEV int block() { return bid_x(); }
DEV int blocks() { return emulator::blocks; }
DEV u32 shared_address(const void* p) { return emulator::shared_address(p); }
DEV void barrier_init(u64* barrier, int arrivals) { emulator::barrier_init(barrier, arrivals); }
DEV void barrier_publish() { emulator::barrier_publish(); }

DEV void barrier_arrive(u64* barrier)
{
    emulator::linger();
    emulator::barrier_arrive(barrier, 0);
}

DEV void barrier_expect(u64* barrier, int bytes) { emulator::barrier_arrive(barrier, bytes); }
DEV void barrier_wait(u64* barrier, int parity) { emulator::barrier_wait(barrier, parity); }

DEV void tensor_load2(void* to, u64 map, u64* barrier, int x0, int x1)
{
    int at[] = {x0, x1};
    emulator::tensor_load(to, map, barrier, 2, at);
}

DEV void tensor_load3(void* to, u64 map, u64* barrier, int x0, int x1, int x2)
{
    int at[] = {x0, x1, x2};
    emulator::tensor_load(to, map, barrier, 3, at);
}

DEV void tensor_load4(void* to, u64 map, u64* barrier, int x0, int x1, int x2, int x3)
{
    int at[] = {x0, x1, x2, x3};
    emulator::tensor_load(to, map, barrier, 4, at);
}

DEV void tensor_store4(const void* from, u64 map, int x0, int x1, int x2, int x3)
{
    int at[] = {x0, x1, x2, x3};
    emulator::tensor_store(from, map, 4, at);
}

DEV void tensor_stores_commit() { emulator::tensor_stores_commit(); }
DEV void tensor_stores_read() { emulator::tensor_stores_read(); }
DEV void tensors_publish() { emulator::tensors_publish(); }

template <int N> DEV void registers_down() {}
template <int N> DEV void registers_up() {}
template <int N> DEV void hold(u32 (&)[N]) {}
DEV bool any(bool condition)
{
    float found = condition;
    for (int mask = 16; mask > 0; mask >>= 1) found += shfl_xor(found, mask);
    return found > 0;
}

DEV void sync_group() { emulator::sync_group(); }
DEV void fence_device() { __atomic_thread_fence(__ATOMIC_ACQ_REL); }
DEV u32 load_fresh(const u32* from) { return __atomic_load_n(from, __ATOMIC_ACQUIRE); }
DEV f32x4 load_fresh(const float* from) { return *(const f32x4*)from; }

DEV u32 atomic_add(u32* to, u32 by) { return __atomic_fetch_add(to, by, __ATOMIC_ACQ_REL); }
DEV void products_fence() { emulator::products_fence(); }
DEV void products_commit() { emulator::products_commit(); }
template <int N> DEV void products_wait() { emulator::products_wait(N); }
template <int N> DEV void warpgroup_multiply(float (&s)[N], u32 left, u32 right, int accumulate)
{
    emulator::warpgroup_multiply(s, 2 * N, descriptor(left), descriptor(right), accumulate, BRAIN);
}
template <int N> DEV void warpgroup_multiply_rows(float (&s)[N], const u32 (&left)[4], u32 right)
{
    emulator::warpgroup_multiply_rows(s, 2 * N, left, descriptor(right), BRAIN);
}
