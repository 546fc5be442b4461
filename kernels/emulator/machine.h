// What the driver's face needs of the machine beneath.
#pragma once
#include <cstddef>
#include <functional>

namespace emulator
{
// This side is compiled once, for kernels of float16 and of bfloat16: what halves are comes with each call.
inline float widen(unsigned short bits, bool brain)
{
    return brain ? __builtin_bit_cast(float, (u32)bits << 16) : (float)__builtin_bit_cast(_Float16, bits);
}

struct Kernel;
Kernel* find(const char* name);

// Runs all blocks of a launch, which may be one that begins early: launches never overlap here, but its threads must have waited for those before.
// Called under the driver's lock.
void launch(Kernel* kernel, const unsigned (&grid)[3], unsigned threads, size_t shared_bytes, bool early, void** parameters);

// Copies are made when they are waited for, not when they are issued.
extern bool deferred_copies;

// The last thread of a block runs first.
extern bool reverse_threads;

// Hopper's copies and products are done when they are waited for; how many products of warpgroups there were.
extern bool late_tensors, late_products;
extern long tensor_products;

// Not 0: warps of a warpgroup run apart, each held back by up to 200 turns of the others before some of what it does, by numbers drawn from this seed.
extern unsigned lag;

// Blocks of the launch along x.
extern int blocks;

// Fails where the thread's launch may begin early and it has not waited for those before.
void check_awaited();

// Ends the process, naming kernel, thread and block.
[[noreturn]] void fail(const char* what);

// Lets other threads run until something holds.
void wait_until(const std::function<bool()>& done);

// What follows is of the block of a core.
void hopper_enter(int core);
void hopper_block_begins();
void hopper_thread_ends();
void hopper_block_ends();
}
