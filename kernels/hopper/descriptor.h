// A matrix in shared memory as products read it: rows of 128 bytes, swizzled, in groups of eight that lie 1024 bytes apart.
#pragma once
#include "../common.h"

// All that a product wants to know, of the half that says where (describe, ring.h) and may be added to: the other is the same for all.
DEV u64 descriptor(u32 where) { return (u64)(1u << 30 | 1024 >> 4) << 32 | where; }
