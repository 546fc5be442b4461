// Hopper's products: tiles of 128 x 128, and of 128 x 160 for the widths of the U-Net (320, 640, 1280), which they divide; by blocks of their own,
// or by pairs of blocks that share weights.
#include "product.h"

FP_ARGUMENT_OF(hopper_product_128)
FP_ARGUMENT_OF(hopper_product_160)
FP_ARGUMENT_OF(hopper_product_128_pair)
FP_ARGUMENT_OF(hopper_product_160_pair)
FP_KERNEL(hopper_product_128, 384, 1, HopperProductArgs, a) { HopperProduct<128, 5, 1>::run(a, FP_ARGUMENT(hopper_product_128, a)); }
FP_KERNEL(hopper_product_160, 384, 1, HopperProductArgs, a) { HopperProduct<160, 4, 1>::run(a, FP_ARGUMENT(hopper_product_160, a)); }
FP_KERNEL_OF_CLUSTER(hopper_product_128_pair, 384, 2, HopperProductArgs, a) { HopperProduct<128, 5, 2>::run(a, FP_ARGUMENT(hopper_product_128_pair, a)); }
FP_KERNEL_OF_CLUSTER(hopper_product_160_pair, 384, 2, HopperProductArgs, a) { HopperProduct<160, 4, 2>::run(a, FP_ARGUMENT(hopper_product_160_pair, a)); }
