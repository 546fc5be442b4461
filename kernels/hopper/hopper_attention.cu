// Attention on Hopper: heads of 64, 192 queries a block.
#include "attention.h"

FP_ARGUMENT_OF(hopper_attention_64)
FP_KERNEL(hopper_attention_64, 512, 1, HopperAttentionArgs, a) { HopperAttention<3, 4>::run(a, FP_ARGUMENT(hopper_attention_64, a)); }
