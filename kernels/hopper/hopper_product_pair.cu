// The same products by pairs of blocks that share weights. A text of their own: assembling it takes seconds, which only those pay who use it.
#include "product.h"

FP_ARGUMENT_OF(hopper_product_128_pair)
FP_ARGUMENT_OF(hopper_product_160_pair)
FP_KERNEL_OF_CLUSTER(hopper_product_128_pair, 384, 2, HopperProductArgs, a) { HopperProduct<128, 5, 2>::run(a, FP_ARGUMENT(hopper_product_128_pair, a)); }
FP_KERNEL_OF_CLUSTER(hopper_product_160_pair, 384, 2, HopperProductArgs, a) { HopperProduct<160, 4, 2>::run(a, FP_ARGUMENT(hopper_product_160_pair, a)); }
