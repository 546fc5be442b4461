// Hopper's products, named by rows and columns of their tiles. 160 divides the widths of the U-Net (320, 640, 1280). Where these tiles are too few, or a
// few more than multiprocessors, smaller ones or larger ones are as many as there are.
#include "product.h"

FP_ARGUMENT_OF(hopper_product_128x128)
FP_ARGUMENT_OF(hopper_product_128x160)
FP_ARGUMENT_OF(hopper_product_128x192)
FP_ARGUMENT_OF(hopper_product_64x160)
FP_KERNEL(hopper_product_128x128, 384, 1, HopperProductArgs, a) { HopperProduct<128, 128, 5, 2>::run(a, [&] { return FP_ARGUMENT(hopper_product_128x128, a); }); }
FP_KERNEL(hopper_product_128x160, 384, 1, HopperProductArgs, a) { HopperProduct<128, 160, 4, 2>::run(a, [&] { return FP_ARGUMENT(hopper_product_128x160, a); }); }
FP_KERNEL(hopper_product_128x192, 256, 1, HopperProductArgs, a) { HopperProduct<128, 192, 4, 1>::run(a, [&] { return FP_ARGUMENT(hopper_product_128x192, a); }); }
FP_KERNEL(hopper_product_64x160, 256, 1, HopperProductArgs, a) { HopperProduct<64, 160, 6, 1>::run(a, [&] { return FP_ARGUMENT(hopper_product_64x160, a); }); }
