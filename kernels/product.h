// Matrix products of rows gathered on the fly: linear maps, convolutions over pictures, convolutions over time.
//   out[m, n] = scale * (activation(sum_k gather(m, k) * weight[n, k] + bias[n]) + row) + sum of scaled residuals
// Weights lie as [n][k] halves, k = tap * channels + channel, both padded with zeros (k to 32, n to 128).
// A gated matrix (GEGLU) has value and gate rows interleaved, so that one thread holds both.
#pragma once
#include "common.h"

enum Gather { LINEAR, CONV, TEMPORAL };

struct ProductArgs
{
    View first, second, rows, residual0, residual1, out;
    const half* weight;
    const float* bias;
    i64 m;
    int n, k, k_padded, channels0, channels1, out_channels;
    int tokens, image_stride, height, width, out_width, kernel_width, stride, pad_top, pad_left, upsample, frames;
    int activation, row_count, row_by_frame, images;
    float scale, residual_scale0, residual_scale1;
};

// Where a row of the product begins to read.
struct Row
{
    i64 base;
    int y, x;
    bool valid;
};

// Rows are fewer than 2^31, what memory holds: a division of 64 bits would be a call.
DEV int image_of(const ProductArgs& a, i64 m) { return (int)((u32)m / (u32)a.tokens); }

template <int GATHER> DEV Row row_at(const ProductArgs& a, i64 m)
{
    Row row = {0, 0, 0, m < a.m};
    if (!row.valid) return row;
    i64 image = image_of(a, m);
    int token = (int)(m - image * a.tokens);
    if constexpr (GATHER == LINEAR)
    {
        row.base = image * a.image_stride * a.tokens + token;
    }
    else if constexpr (GATHER == CONV)
    {
        int oy = token / a.out_width;
        row.y = oy * a.stride - a.pad_top;
        row.x = (token - oy * a.out_width) * a.stride - a.pad_left;
        row.base = image * a.height * a.width;
    }
    else
    {
        row.base = m;
        row.y = (int)image % a.frames;
    }

    return row;
}

// The position that a tap of a row reads, or -1 for zeros.
template <int GATHER> DEV i64 position_of(const ProductArgs& a, const Row& row, int ky, int kx)
{
    if (!row.valid) return -1;
    if constexpr (GATHER == LINEAR) return row.base;
    if constexpr (GATHER == TEMPORAL)
    {
        int frame = row.y + kx - 1;
        return frame < 0 || frame >= a.frames ? -1 : row.base + (i64)(kx - 1) * a.tokens;
    }

    int y = row.y + ky, x = row.x + kx;
    if (y < 0 || x < 0 || y >= (a.height << a.upsample) || x >= (a.width << a.upsample)) return -1;
    return row.base + (i64)(y >> a.upsample) * a.width + (x >> a.upsample);
}

template <int GATHER> DEV float gather1(const ProductArgs& a, const Row& row, int k)
{
    int channels = a.channels0 + a.channels1;
    if (k >= a.k) return 0;
    int tap = k / channels, c = k - tap * channels;
    i64 position = position_of<GATHER>(a, row, GATHER == CONV ? tap / a.kernel_width : 0, GATHER == CONV ? tap % a.kernel_width : tap);
    if (position < 0) return 0;
    return c < a.channels0 ? load1(a.first, position * a.channels0 + c) : load1(a.second, position * a.channels1 + c - a.channels0);
}

// What happens to V sums of a row before they are stored; v holds them with their gates between when the matrix is gated.
template <int V, bool GATED> DEV void finish(const ProductArgs& a, i64 m, int n, const float (&v)[GATED ? 2 * V : V])
{
    float r[V];
    int c = GATED ? n / 2 : n;
    UNROLL for (int i = 0; i < V; i++)
    {
        if constexpr (GATED)
        {
            float value = v[2 * i], gate = v[2 * i + 1];
            if (a.bias)
            {
                value += a.bias[n + 2 * i];
                gate += a.bias[n + 2 * i + 1];
            }

            r[i] = value * gelu(gate);
        }
        else
        {
            r[i] = activate(a.activation, a.bias ? v[i] + a.bias[n + i] : v[i]);
        }
    }

    float other[V];
    if (a.rows.data)
    {
        load<V>(a.rows, (i64)row_of(image_of(a, m), a.images, a.row_count, a.row_by_frame) * a.out_channels + c, other);
        UNROLL for (int i = 0; i < V; i++) r[i] += other[i];
    }

    UNROLL for (int i = 0; i < V; i++) r[i] *= a.scale;
    i64 at = m * a.out_channels + c;
    if (a.residual0.data)
    {
        load<V>(a.residual0, at, other);
        UNROLL for (int i = 0; i < V; i++) r[i] += a.residual_scale0 * other[i];
    }

    if (a.residual1.data)
    {
        load<V>(a.residual1, at, other);
        UNROLL for (int i = 0; i < V; i++) r[i] += a.residual_scale1 * other[i];
    }

    store<V>(a.out, at, r);
}
