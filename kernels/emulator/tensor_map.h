// What the emulator writes into the 128 bytes of a tensor map, which only it reads.
#pragma once

namespace emulator
{
struct TensorMap
{
    static constexpr u64 MAGIC = 0x70616d20726f736eull;
    u64 magic, address, strides[4];
    u32 dims[5], box[5], rank;
    unsigned char step[5];
    // Bits of an address that its swizzle turns: three for rows of 128 bytes, two for 64, one for 32.
    unsigned char swizzle;
};

static_assert(sizeof(TensorMap) <= 128);
}
