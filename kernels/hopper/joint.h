// How blocks that share a tile come together: each leaves its sums in memory, and the one that comes last adds them.
#pragma once
#include "ring.h"

// What the warpgroup's first thread finds, to all of it.
template <class F> DEV bool ask_first(u32* answer, F f)
{
    if (thread_of_group() == 0) *answer = f();
    sync_group();
    bool found = *answer != 0;
    sync_group();
    return found;
}

// Whether all other slices have come, now that this warpgroup has left its own.
DEV bool comes_last(u32* arrived, u32* answer, int slices)
{
    fence_device();
    sync_group();
    return ask_first(answer, [=] { return atomic_add(arrived, 1) == (u32)slices - 1; });
}

// By who came last, before it reads what the others left.
DEV void set_back(u32* arrived)
{
    fence_device();
    if (thread_of_group() == 0) *arrived = 0;
}
