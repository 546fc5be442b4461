// Arguments of both attention kernels. A launch computes up to two sets of heads (self and matching): grid z picks one.
#pragma once
#include "common.h"

// Views begin at the set's first channel; strides are the channels of the values they lie in.
struct AttentionSet
{
    View query, key, value;
    int query_stride, key_stride, value_stride, keys, key_images, unused;
};

struct AttentionArgs
{
    AttentionSet sets[2];
    View out;
    int images, tokens, heads, head_dim, out_channels;
    float scale_log2;
};

// The set of this block without an index into an array, which would live in local memory.
DEV AttentionSet set_of(const AttentionArgs& a)
{
    return bid_z() == 0 ? a.sets[0] : a.sets[1];
}
