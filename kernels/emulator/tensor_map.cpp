// The driver's function that writes tensor maps down, with the driver's conditions.
#include "../common.h"
#include "faults.h"
#include "machine.h"
#include "tensor_map.h"
#include <cstdint>

extern "C" __attribute__((visibility("default"))) int cuTensorMapEncodeTiled(
    void* map, int type, unsigned rank, uint64_t address, const uint64_t* dims, const uint64_t* strides, const unsigned* box,
    const unsigned* element_strides, int interleave, int swizzle, int, int fill)
{
    FP_FAULT(cuTensorMapEncodeTiled);
    constexpr int INVALID_VALUE = 1, HALVES = 6, BRAIN_HALVES = 9, SWIZZLE_32 = 1, SWIZZLE_128 = 3;
    if ((u64)map % 64 || address % 16 || rank < 1 || rank > 5 || (type != HALVES && type != BRAIN_HALVES) || interleave != 0 || swizzle < SWIZZLE_32 || swizzle > SWIZZLE_128 || fill != 0) return INVALID_VALUE;
    emulator::TensorMap tensor = {emulator::TensorMap::MAGIC, address, {}, {}, {}, rank, {}, (unsigned char)swizzle};
    for (unsigned d = 0; d < rank; d++)
    {
        if (!dims[d] || dims[d] > 1ull << 32 || !box[d] || box[d] > 256 || element_strides[d] < 1 || element_strides[d] > 8) return INVALID_VALUE;
        tensor.dims[d] = (u32)dims[d];
        // A box spans so many elements and holds every n-th of them.
        tensor.step[d] = d == 0 ? 1 : (unsigned char)element_strides[d];
        tensor.box[d] = (box[d] + tensor.step[d] - 1) / tensor.step[d];
        if (d == 0) continue;
        if (strides[d - 1] % 16 || strides[d - 1] >= 1ull << 40) return INVALID_VALUE;
        tensor.strides[d - 1] = strides[d - 1];
    }

    // Swizzled rows are of 32, 64 or 128 bytes at most; this emulator knows whole ones only.
    if (box[0] * 2 != 16u << swizzle) return INVALID_VALUE;
    memset(map, 0, 128);
    memcpy(map, &tensor, sizeof tensor);
    return 0;
}

extern "C" __attribute__((visibility("default"))) void FP_EMULATOR_hopper_order(int late_tensors, int late_products)
{
    emulator::late_tensors = late_tensors;
    emulator::late_products = late_products;
}

extern "C" __attribute__((visibility("default"))) void FP_EMULATOR_hopper_lag(unsigned seed) { emulator::lag = seed; }

extern "C" __attribute__((visibility("default"))) long FP_EMULATOR_tensor_products() { return emulator::tensor_products; }
