// Attention with one head too wide for attention_flash.cu: two products (product_linear.cu) with a softmax between.
//   scores = scale * queries keys^T, probabilities = softmax(scores), out = probabilities values
// Products read their right operand as [n][k] halves, padded with zeros: keys are packed as [token][channel], values as [channel][token].
#include "common.h"

// Halves from rows that lie `stride` apart; padded to to_rows x to_columns, both in eights.
struct WidePackArgs
{
    const half* from;
    half* to;
    int rows, columns, stride, to_rows, to_columns, unused;
};

struct WideSoftmaxArgs
{
    float* scores;
    half* probabilities;
    int keys, padded;
    float unit;
    int unused;
};

DEV u32x4 load_or_zeros(const WidePackArgs& a, i64 row, int column)
{
    u32x4 zeros = {0, 0, 0, 0};
    return row < a.rows && column < a.columns ? *(const u32x4*)(a.from + row * a.stride + column) : zeros;
}

// Rows packed without gaps: eight halves a thread.
FP_KERNEL(wide_pack, 256, 2, WidePackArgs, a)
{
    i64 item = (i64)bid_x() * 256 + tid();
    int chunks = a.to_columns / 8;
    i64 row = item / chunks;
    int column = (int)(item - row * chunks) * 8;
    if (row < a.to_rows) *(u32x4*)(a.to + row * a.to_columns + column) = load_or_zeros(a, row, column);
}

// Rows become columns, in tiles of 64 x 64 (grid: rows read, columns read; to_rows and to_columns are those written, multiples of 64).
// Chunks of eight are swapped within a row of the tile, so that writes and reads both spread over all banks.
FP_KERNEL(wide_transpose, 256, 2, WidePackArgs, a)
{
    constexpr int TILE = 64;
    half* tile = (half*)smem();
    UNROLL for (int i = 0; i < 2; i++)
    {
        int item = tid() + i * 256;
        int row = item / 8, chunk = item % 8;
        u32x4 raw = load_or_zeros(a, bid_x() * TILE + row, bid_y() * TILE + chunk * 8);
        half* to = tile + chunk * 8 * TILE + (row / 8 ^ chunk) * 8 + row % 8;
        UNROLL for (int j = 0; j < 4; j++)
        {
            u32 word = raw[j];
            to[2 * j * TILE] = half_of(word, 0);
            to[(2 * j + 1) * TILE] = half_of(word, 1);
        }
    }

    sync();
    UNROLL for (int i = 0; i < 2; i++)
    {
        int item = tid() + i * 256;
        int row = item / 8, chunk = item % 8;
        u32x4 raw = *(const u32x4*)(tile + row * TILE + (chunk ^ row / 8) * 8);
        *(u32x4*)(a.to + (i64)(bid_y() * TILE + row) * a.to_columns + bid_x() * TILE + chunk * 8) = raw;
    }
}

DEV float block_max(float v, float* scratch)
{
    v = warp_max(v);
    if (tid() % 32 == 0) scratch[tid() / 32] = v;
    sync();
    float most = scratch[0];
    for (int w = 1; w < threads() / 32; w++) most = __builtin_fmaxf(most, scratch[w]);
    return most;
}

// One block a row of scores in units of log2. Probabilities are written as multiples of 1 / unit: float16 has its full precision down to 6e-5
// only, less than many of thousands of keys get. Beyond the last key: zeros.
// row: where the block's scores lie, and where their exponentials take their places; each thread touches the same elements throughout.
DEV void softmax_of(const WideSoftmaxArgs& a, View row, float* scratch)
{
    View out = {a.probabilities + (i64)bid_x() * a.padded, 1, 0};
    float largest = -__builtin_inff(), total = 0;
    for (int at = tid() * 8; at < a.padded; at += 256 * 8)
    {
        float x[8];
        load<8>(row, at, x);
        UNROLL for (int i = 0; i < 8; i++) largest = at + i < a.keys ? __builtin_fmaxf(largest, x[i]) : largest;
    }

    largest = block_max(largest, scratch);
    for (int at = tid() * 8; at < a.padded; at += 256 * 8)
    {
        float x[8];
        load<8>(row, at, x);
        UNROLL for (int i = 0; i < 8; i++)
        {
            x[i] = at + i < a.keys ? ex2(x[i] - largest) : 0;
            total += x[i];
        }

        store<8>(row, at, x);
    }

    float factor = a.unit / block_sum(total, scratch);
    for (int at = tid() * 8; at < a.padded; at += 256 * 8)
    {
        float x[8];
        load<8>(row, at, x);
        UNROLL for (int i = 0; i < 8; i++) x[i] *= factor;
        store<8>(out, at, x);
    }
}

// A row that shared memory holds: read once.
FP_KERNEL(wide_softmax, 256, 2, WideSoftmaxArgs, a)
{
    float* row = (float*)smem();
    const float* from = a.scores + (i64)bid_x() * a.padded;
    for (int at = tid() * 8; at < a.padded; at += 256 * 8)
    {
        cp_async16(row + at, from + at, true);
        cp_async16(row + at + 4, from + at + 4, true);
    }

    // Each thread reads only what it copied itself.
    cp_commit();
    cp_wait<0>();
    softmax_of(a, {row, 0, 0}, row + a.padded);
}

// A longer one stays in memory: the second-level cache has it again.
FP_KERNEL(wide_softmax_long, 256, 2, WideSoftmaxArgs, a)
{
    softmax_of(a, {a.scores + (i64)bid_x() * a.padded, 0, 0}, (float*)smem());
}
