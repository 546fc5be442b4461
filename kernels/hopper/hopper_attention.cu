// Attention on Hopper: heads of 64, 192 or 128 queries a block.
#include "attention.h"

FP_ARGUMENT_OF(hopper_attention_192x64)
FP_KERNEL(hopper_attention_192x64, 512, 1, HopperAttentionArgs, a) { HopperAttention<3>::run(a, FP_ARGUMENT(hopper_attention_192x64, a)); }
FP_ARGUMENT_OF(hopper_attention_128x64)
FP_KERNEL(hopper_attention_128x64, 384, 1, HopperAttentionArgs, a) { HopperAttention<2>::run(a, FP_ARGUMENT(hopper_attention_128x64, a)); }
