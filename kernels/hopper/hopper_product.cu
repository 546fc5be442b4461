// Hopper's products: tiles of 128 x 128, and of 128 x 160 for the widths of the U-Net (320, 640, 1280), which they divide.
#include "product.h"

FP_ARGUMENT_OF(hopper_product_128)
FP_ARGUMENT_OF(hopper_product_160)
FP_KERNEL(hopper_product_128, 384, 1, HopperProductArgs, a) { HopperProduct<128, 5, 1>::run(a, FP_ARGUMENT(hopper_product_128, a)); }
FP_KERNEL(hopper_product_160, 384, 1, HopperProductArgs, a) { HopperProduct<160, 4, 1>::run(a, FP_ARGUMENT(hopper_product_160, a)); }
