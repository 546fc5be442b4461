// Norms of any number of channels: for what norms.cu does not take, and its plain twins.
#include "norms.h"

// Count, mean and sum of squared deviations of one chunk of positions of one group (grid: chunk, group, set).
FP_KERNEL(moments_part_1, 256, 2, MomentsArgs, a)
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

FP_KERNEL(group_norm_1, 256, 2, GroupNormArgs, a)
{
    int channels = a.channels0 + a.channels1;
    i64 item = (i64)bid_x() * 256 + tid();
    i64 position = item / channels;
    if (position >= a.positions) return;
    int c = (int)(item - position * channels), width = channels / a.groups;
    float x = c < a.channels0 ? load1(a.first, position * a.channels0 + c) : load1(a.second, position * a.channels1 + c - a.channels0);
    const float* m = a.moments + (position / a.positions_per_set * a.groups + c / width) * 3;
    float r[1] = {activate(a.activation, (x - m[0]) / __builtin_sqrtf(m[1] + a.epsilon) * a.gamma[c] + a.beta[c])};
    store<1>(a.out, item, r);
}

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
