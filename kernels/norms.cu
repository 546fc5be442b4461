// Means and variances in two passes over chunks, joined in a fixed order; group and layer normalisation on top.
#include "common.h"

struct MomentsArgs
{
    View first, second;
    float* parts;
    float* moments;
    int channels0, channels1, groups, positions, chunk, chunks, sets, unused;
};

// Count, mean and sum of squared deviations of one chunk of positions of one group (grid: chunk, group, set).
FP_KERNEL(moments_part, 256, 2, MomentsArgs, a)
{
    float* scratch = (float*)smem();
    int channels = a.channels0 + a.channels1, width = channels / a.groups;
    int from = bid_x() * a.chunk;
    int rows = a.positions - from < a.chunk ? a.positions - from : a.chunk;
    i64 base = (i64)bid_z() * a.positions + from;
    int count = rows * width, channel0 = bid_y() * width;
    float sum = 0;
    for (int pass = 0; pass < 2; pass++)
    {
        float mean = pass == 0 ? 0 : sum / (float)count;
        float part = 0;
        for (int i = tid(); i < count; i += 256)
        {
            int row = i / width, c = channel0 + i - row * width;
            float x = c < a.channels0 ? load1(a.first, (base + row) * a.channels0 + c) : load1(a.second, (base + row) * a.channels1 + c - a.channels0);
            part += pass == 0 ? x : (x - mean) * (x - mean);
        }

        float whole = block_sum(part, scratch);
        if (pass == 0)
        {
            sum = whole;
        }
        else if (tid() == 0)
        {
            float* to = a.parts + (((i64)bid_z() * a.groups + bid_y()) * a.chunks + bid_x()) * 3;
            to[0] = (float)count;
            to[1] = mean;
            to[2] = whole;
        }
    }
}

// Joins the chunks of a group: mean, biased variance, unbiased variance. One thread a group.
FP_KERNEL(moments_join, 32, 1, MomentsArgs, a)
{
    int group = bid_x() * 32 + tid();
    if (group >= a.groups * a.sets) return;
    const float* part = a.parts + (i64)group * a.chunks * 3;
    float count = part[0], mean = part[1], squares = part[2];
    for (int i = 1; i < a.chunks; i++)
    {
        part += 3;
        float joined = count + part[0], delta = part[1] - mean;
        mean += delta * (part[0] / joined);
        squares += part[2] + delta * delta * (count * (part[0] / joined));
        count = joined;
    }

    a.moments[group * 3] = mean;
    a.moments[group * 3 + 1] = squares / count;
    a.moments[group * 3 + 2] = squares / (count - 1);
}

struct GroupNormArgs
{
    View first, second, out;
    const float* moments;
    const float* gamma;
    const float* beta;
    i64 positions;
    int channels0, channels1, groups, positions_per_set, activation;
    float epsilon;
};

template <int V> DEV void group_norm(const GroupNormArgs& a)
{
    int channels = a.channels0 + a.channels1;
    i64 item = ((i64)bid_x() * 256 + tid()) * V;
    i64 position = item / channels;
    if (position >= a.positions) return;
    int c = (int)(item - position * channels), width = channels / a.groups;
    float x[V];
    if (c < a.channels0) load<V>(a.first, position * a.channels0 + c, x);
    else load<V>(a.second, position * a.channels1 + c - a.channels0, x);
    i64 set = position / a.positions_per_set;
    UNROLL for (int i = 0; i < V; i++)
    {
        const float* m = a.moments + (set * a.groups + (c + i) / width) * 3;
        x[i] = activate(a.activation, (x[i] - m[0]) / __builtin_sqrtf(m[1] + a.epsilon) * a.gamma[c + i] + a.beta[c + i]);
    }

    store<V>(a.out, item, x);
}

FP_KERNEL(group_norm_8, 256, 2, GroupNormArgs, a) { group_norm<8>(a); }
FP_KERNEL(group_norm_1, 256, 2, GroupNormArgs, a) { group_norm<1>(a); }

struct LayerNormArgs
{
    View input, rows, out;
    const float* gamma;
    const float* beta;
    i64 positions;
    int channels, tokens, images, row_count, row_by_frame;
    float epsilon;
};

template <int V> DEV void layer_norm(const LayerNormArgs& a)
{
    i64 position = (i64)bid_x() * 8 + tid() / 32;
    if (position >= a.positions) return;
    i64 base = position * a.channels;
    i64 row = a.rows.data ? (i64)row_of((int)(position / a.tokens), a.images, a.row_count, a.row_by_frame) * a.channels : 0;
    auto element = [&](int c, float (&x)[V]) {
        load<V>(a.input, base + c, x);
        if (a.rows.data)
        {
            float r[V];
            load<V>(a.rows, row + c, r);
            UNROLL for (int i = 0; i < V; i++) x[i] += r[i];
        }
    };
    int lane = tid() % 32;
    float x[V], sum = 0, squares = 0;
    for (int c = lane * V; c < a.channels; c += 32 * V)
    {
        element(c, x);
        UNROLL for (int i = 0; i < V; i++) sum += x[i];
    }

    float mean = warp_sum(sum) / (float)a.channels;
    for (int c = lane * V; c < a.channels; c += 32 * V)
    {
        element(c, x);
        UNROLL for (int i = 0; i < V; i++) squares += (x[i] - mean) * (x[i] - mean);
    }

    float inverse = 1.0f / __builtin_sqrtf(warp_sum(squares) / (float)a.channels + a.epsilon);
    for (int c = lane * V; c < a.channels; c += 32 * V)
    {
        element(c, x);
        UNROLL for (int i = 0; i < V; i++) x[i] = (x[i] - mean) * inverse * a.gamma[c + i] + a.beta[c + i];
        store<V>(a.out, base + c, x);
    }
}

FP_KERNEL(layer_norm_8, 256, 2, LayerNormArgs, a) { layer_norm<8>(a); }
FP_KERNEL(layer_norm_1, 256, 2, LayerNormArgs, a) { layer_norm<1>(a); }
