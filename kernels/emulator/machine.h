// What the driver's face needs of the machine beneath.
#pragma once
#include <cstddef>

namespace emulator
{
struct Kernel;
Kernel* find(const char* name);

// Runs all blocks of a launch. Called under the driver's lock.
void launch(Kernel* kernel, const unsigned (&grid)[3], unsigned threads, size_t shared_bytes, void** parameters);

// Copies are made when they are waited for, not when they are issued.
extern bool deferred_copies;

// The last thread of a block runs first.
extern bool reverse_threads;
}
