// Arguments of the norms: norms.cu and its twins in norms_any.cu.
#pragma once
#include "eights.h"

// lanes: how many neighbouring lanes join a group, a power of two up to 32 (moments_part_8).
struct MomentsArgs
{
    View first, second;
    float* parts;
    float* moments;
    int channels0, channels1, groups, positions, chunk, chunks, sets, lanes;
};

// moments: of every group what moments_join gives, or, for group_norm_8, the parts of its `chunks`, as moments_part_8 gives them.
struct GroupNormArgs
{
    View first, second, out;
    const float* moments;
    const float* gamma;
    const float* beta;
    i64 positions;
    int channels0, channels1, groups, positions_per_set, activation, chunk, chunks;
    float epsilon;
};

// step: positions that all blocks take at once (layer_norm_320 and its like).
struct LayerNormArgs
{
    View input, rows, out;
    const float* gamma;
    const float* beta;
    i64 positions;
    int channels, tokens, images, row_count, row_by_frame, step;
    float epsilon;
};
