// Group and layer normalisation at the speed of memory: a thread keeps the channels it has, and walks over positions.
// The kernels here take channels in eights; norms_any.cu has their twins for everything else.
#include "norms.h"

// A thread's part of its block's chunk of positions: eight channels of the positions `row`, `row + rows`, and so on, `count` in all.
// The chunk begins at position `first` of its set and has `positions`.
struct Column
{
    const void* data;
    int half, channel, channels, stride, row, rows, first, positions, count;
    bool valid;
};

// The eight channels lie in one of two inputs.
DEV Column column_of(const View& first, const View& second, int channels0, int channels1, int positions, int chunk)
{
    Column c;
    c.channels = channels0 + channels1;
    int vectors = c.channels / 8;
    c.rows = threads() / vectors;
    c.row = tid() / vectors;
    c.channel = (tid() - c.row * vectors) * 8;
    c.valid = c.row < c.rows;
    c.first = bid_x() * chunk;
    c.positions = positions - c.first < chunk ? positions - c.first : chunk;
    c.count = c.valid && c.row < c.positions ? (c.positions - c.row + c.rows - 1) / c.rows : 0;
    bool in_first = c.channel < channels0;
    const View& view = in_first ? first : second;
    int width = in_first ? channels0 : channels1;
    i64 at = ((i64)bid_y() * positions + c.first + c.row) * width + (in_first ? c.channel : c.channel - channels0);
    c.half = view.half;
    c.data = (const char*)view.data + at * (view.half ? 2 : 4);
    c.stride = width * c.rows;
    return c;
}

// The next positions of a column from the i-th on; those beyond its last are the last again.
template <bool HALF, int N> DEV void fetch_batch(const Column& c, int i, Eight<HALF> (&batch)[N])
{
    UNROLL for (int j = 0; j < N; j++) batch[j] = fetch<HALF>(c.data, (i64)(i + j < c.count ? i + j : c.count - 1) * c.stride);
    UNROLL for (int j = 0; j < N; j++)
    {
        UNROLL for (u32x4& words : batch[j].words) hold(words);
    }
}

// Means and squared deviations of each of a thread's channels. Sums are of differences to its first position, which is one of the numbers:
// however large the mean, what cancels is then no larger than what remains.
template <bool HALF> DEV void channel_moments(const Column& c, float (&mean)[8], float (&squares)[8])
{
    float pivot[8];
    widen(fetch<HALF>(c.data, 0), pivot);
    for (int i = 0; i < c.count; i += BATCH<HALF>)
    {
        Eight<HALF> batch[BATCH<HALF>];
        fetch_batch(c, i, batch);
        UNROLL for (int j = 0; j < BATCH<HALF>; j++)
        {
            if (i + j < c.count)
            {
                float x[8];
                widen(batch[j], x);
                UNROLL for (int k = 0; k < 8; k++)
                {
                    float d = x[k] - pivot[k];
                    mean[k] += d;
                    squares[k] += d * d;
                }
            }
        }
    }

    float inverse = 1.0f / (float)c.count;
    UNROLL for (int k = 0; k < 8; k++)
    {
        float d = mean[k] * inverse, rest = squares[k] - mean[k] * d;
        squares[k] = rest < 0 ? 0 : rest;
        mean[k] = pivot[k] + d;
    }
}

// The sum over neighbouring lanes, a power of two of them, to each of them.
DEV float lanes_sum(float v, int lanes)
{
    for (int mask = lanes / 2; mask > 0; mask >>= 1) v += shfl_xor(v, mask);
    return v;
}

// Count, mean and sum of squared deviations of each group of a chunk of positions (grid: chunk, set).
FP_KERNEL(moments_part_8, 320, 3, MomentsArgs, a)
{
    Column c = column_of(a.first, a.second, a.channels0, a.channels1, a.positions, a.chunk);
    float* means = (float*)smem();
    float* deviations = means + c.rows * c.channels;
    if (c.valid)
    {
        float mean[8] = {}, squares[8] = {};
        if (c.count > 0)
        {
            if (c.half) channel_moments<true>(c, mean, squares);
            else channel_moments<false>(c, mean, squares);
        }

        View shared = {means, 0, 0};
        store<8>(shared, c.row * c.channels + c.channel, mean);
        shared.data = deviations;
        store<8>(shared, c.row * c.channels + c.channel, squares);
    }

    sync();
    // The first rows have a position more than the others where the chunk is no multiple.
    int whole = c.positions / c.rows, longer = c.positions - whole * c.rows, width = c.channels / a.groups;
    float count = (float)c.positions * (float)width;
    int lane = tid() % a.lanes, per_turn = threads() / a.lanes;
    for (int turn = 0; turn < a.groups; turn += per_turn)
    {
        // All lanes of a warp take part in the sums, also those without a group.
        int group = turn + tid() / a.lanes;
        bool valid = group < a.groups;
        int channel0 = valid ? group * width : 0;
        float pivot = means[channel0], sum = 0, squares = 0;
        for (int row = 0; row < c.rows; row++)
        {
            float part = 0;
            for (int i = lane; i < width; i += a.lanes) part += means[row * c.channels + channel0 + i] - pivot;
            sum += part * (float)(whole + (row < longer ? 1 : 0));
        }

        float mean = pivot + lanes_sum(sum, a.lanes) / count;
        for (int row = 0; row < c.rows; row++)
        {
            float part = 0, inside = 0;
            for (int i = lane; i < width; i += a.lanes)
            {
                float d = means[row * c.channels + channel0 + i] - mean;
                part += d * d;
                inside += deviations[row * c.channels + channel0 + i];
            }

            squares += inside + part * (float)(whole + (row < longer ? 1 : 0));
        }

        squares = lanes_sum(squares, a.lanes);
        if (valid && lane == 0)
        {
            float* to = a.parts + (((i64)bid_y() * a.groups + group) * a.chunks + bid_x()) * 3;
            to[0] = count;
            to[1] = mean;
            to[2] = squares;
        }
    }
}

// What is joined of a group.
struct Moments
{
    float count, mean, squares;
};

DEV void join(Moments& m, const Moments& other)
{
    float joined = m.count + other.count, share = joined > 0 ? other.count * rcp(joined) : 0.0f, delta = other.mean - m.mean;
    m.mean += delta * share;
    m.squares += other.squares + delta * delta * (m.count * share);
    m.count = joined;
}

// Joins the chunks of several groups, by one warp: what it reads of all of them is on its way at once. The first lane has the results.
template <int N> DEV void join_chunks(const float* const (&parts)[N], int chunks, Moments (&m)[N])
{
    UNROLL for (int n = 0; n < N; n++) m[n] = {0, 0, 0};
    for (int i = tid() % 32; i < chunks; i += 32)
    {
        float x[3 * N];
        UNROLL for (int n = 0; n < N; n++)
        {
            UNROLL for (int j = 0; j < 3; j++) x[3 * n + j] = parts[n][i * 3 + j];
        }

        hold(x);
        UNROLL for (int n = 0; n < N; n++)
        {
            Moments chunk = {x[3 * n], x[3 * n + 1], x[3 * n + 2]};
            if (i < 32) m[n] = chunk;
            else join(m[n], chunk);
        }
    }

    UNROLL for (int mask = 16; mask > 0; mask >>= 1)
    {
        UNROLL for (int n = 0; n < N; n++) join(m[n], {shfl_xor(m[n].count, mask), shfl_xor(m[n].mean, mask), shfl_xor(m[n].squares, mask)});
    }
}

// Joins the chunks of every group, one warp a group, and leaves three numbers of each.
template <class NUMBERS> DEV void join_groups(const MomentsArgs& a, NUMBERS numbers)
{
    int group = bid_x() * 4 + tid() / 32;
    if (group >= a.groups * a.sets) return;
    const float* const parts[1] = {a.parts + (i64)group * a.chunks * 3};
    Moments m[1];
    join_chunks(parts, a.chunks, m);
    if (tid() % 32 == 0) numbers(a.moments + group * 3, m[0]);
}

// Mean, biased variance, unbiased variance.
FP_KERNEL(moments_join, 128, 1, MomentsArgs, a)
{
    join_groups(a, [](float* to, const Moments& m) {
        to[0] = m.mean;
        to[1] = m.squares / m.count;
        to[2] = m.squares / (m.count - 1);
    });
}

// All chunks as one.
FP_KERNEL(moments_fold, 128, 1, MomentsArgs, a)
{
    join_groups(a, [](float* to, const Moments& m) {
        to[0] = m.count;
        to[1] = m.mean;
        to[2] = m.squares;
    });
}

// Means and inverse deviations of the set's groups lie in shared memory.
template <bool HALF> DEV void group_norm(const GroupNormArgs& a, const Column& c, const float* means, const float* inverses)
{
    float mean[8], scale[8], beta[8];
    widen(fetch<false>(a.gamma, c.channel), scale);
    widen(fetch<false>(a.beta, c.channel), beta);
    int width = c.channels / a.groups, group = c.channel / width, next = (group + 1) * width - c.channel;
    UNROLL for (int k = 0; k < 8; k++)
    {
        if (k == next)
        {
            group++;
            next += width;
        }

        mean[k] = means[group];
        scale[k] *= inverses[group];
    }

    i64 at = ((i64)bid_y() * a.positions_per_set + c.first + c.row) * c.channels + c.channel;
    int step = c.rows * c.channels;
    // More at once, beside three numbers a channel, would not fit the registers that three blocks leave.
    constexpr int AT_ONCE = BATCH<HALF> / 2;
    for (int i = 0; i < c.count; i += AT_ONCE)
    {
        Eight<HALF> batch[AT_ONCE];
        fetch_batch(c, i, batch);
        UNROLL for (int j = 0; j < AT_ONCE; j++)
        {
            if (i + j < c.count)
            {
                float x[8];
                widen(batch[j], x);
                UNROLL for (int k = 0; k < 8; k++) x[k] = (x[k] - mean[k]) * scale[k] + beta[k];
                activate_all(a.activation, x);
                // One number, not an address in either type for each of the positions at once.
                int offset = (i + j) * step;
                hold(offset);
                store<8>(a.out, at + offset, x);
            }
        }
    }
}

// Grid: chunk, set. Every block joins the chunks of its set: shorter than one more kernel between two, where they are not too many (moments_fold).
FP_KERNEL(group_norm_8, 320, 3, GroupNormArgs, a)
{
    float* means = (float*)smem();
    float* inverses = means + a.groups;
    // Ten warps: four groups of each are the networks' 32.
    constexpr int AT_ONCE = 4;
    int warps = threads() / 32;
    for (int first = tid() / 32; first < a.groups; first += AT_ONCE * warps)
    {
        const float* parts[AT_ONCE];
        Moments m[AT_ONCE];
        UNROLL for (int n = 0; n < AT_ONCE; n++)
        {
            // Beyond the last group is the first again.
            int group = first + n * warps < a.groups ? first + n * warps : first;
            parts[n] = a.moments + ((i64)bid_y() * a.groups + group) * a.chunks * 3;
        }

        join_chunks(parts, a.chunks, m);
        UNROLL for (int n = 0; n < AT_ONCE; n++)
        {
            int group = first + n * warps;
            if (tid() % 32 != 0 || group >= a.groups) continue;
            means[group] = m[n].mean;
            inverses[group] = 1.0f / __builtin_sqrtf(m[n].squares / m[n].count + a.epsilon);
        }
    }

    sync();
    Column c = column_of(a.first, a.second, a.channels0, a.channels1, a.positions_per_set, a.chunk);
    if (c.count == 0) return;
    if (c.half) group_norm<true>(a, c, means, inverses);
    else group_norm<false>(a, c, means, inverses);
}

// Rows of 40 halves a lane, in registers from the first read to the last, and gamma and beta beside them. A warp has 32 / LANES rows at a time
// and asks for its next ones before it computes.
template <int LANES> DEV void layer_norm(const LayerNormArgs& a)
{
    constexpr int EIGHTS = 5, CHANNELS = EIGHTS * 8 * LANES, ROWS = 32 / LANES;
    int lane = tid() % LANES, row = tid() % 32 / LANES;
    float gamma[EIGHTS][8], beta[EIGHTS][8];
    Eight<true> next[EIGHTS];
    int position = (bid_x() * (threads() / 32) + tid() / 32) * ROWS;
    // Beyond the last row is the last again: all lanes of a warp take part in its sums.
    auto fetch_row = [&](int from) {
        i64 base = (i64)(from + row < a.positions ? from + row : (int)a.positions - 1) * CHANNELS;
        UNROLL for (int j = 0; j < EIGHTS; j++) next[j] = fetch<true>(a.input.data, base + (j * LANES + lane) * 8);
    };
    auto sum_of_row = [](const float (&parts)[EIGHTS]) {
        float sum = (parts[0] + parts[1]) + (parts[2] + parts[3]) + parts[4];
        UNROLL for (int mask = LANES / 2; mask > 0; mask >>= 1) sum += shfl_xor(sum, mask);
        return sum;
    };
    if (position >= a.positions) return;
    fetch_row(position);
    UNROLL for (int j = 0; j < EIGHTS; j++)
    {
        widen(fetch<false>(a.gamma, (j * LANES + lane) * 8), gamma[j]);
        widen(fetch<false>(a.beta, (j * LANES + lane) * 8), beta[j]);
    }

    for (; position < a.positions; position += a.step)
    {
        float x[EIGHTS][8], sums[EIGHTS], squares[EIGHTS];
        UNROLL for (int j = 0; j < EIGHTS; j++) widen(next[j], x[j]);
        if (position + a.step < a.positions) fetch_row(position + a.step);
        bool valid = position + row < a.positions;
        if (a.rows.data)
        {
            int image = valid ? (position + row) / a.tokens : 0;
            i64 base = (i64)row_of(image, a.images, a.row_count, a.row_by_frame) * CHANNELS;
            UNROLL for (int j = 0; j < EIGHTS; j++)
            {
                float r[8];
                load<8>(a.rows, base + (j * LANES + lane) * 8, r);
                UNROLL for (int k = 0; k < 8; k++) x[j][k] += r[k];
            }
        }

        UNROLL for (int j = 0; j < EIGHTS; j++)
        {
            sums[j] = ((x[j][0] + x[j][1]) + (x[j][2] + x[j][3])) + ((x[j][4] + x[j][5]) + (x[j][6] + x[j][7]));
        }

        float mean = sum_of_row(sums) * (1.0f / CHANNELS);
        UNROLL for (int j = 0; j < EIGHTS; j++)
        {
            squares[j] = 0;
            UNROLL for (int k = 0; k < 8; k++)
            {
                x[j][k] -= mean;
                squares[j] += x[j][k] * x[j][k];
            }
        }

        float inverse = 1.0f / __builtin_sqrtf(sum_of_row(squares) * (1.0f / CHANNELS) + a.epsilon);
        if (valid)
        {
            i64 base = (i64)(position + row) * CHANNELS;
            UNROLL for (int j = 0; j < EIGHTS; j++)
            {
                UNROLL for (int k = 0; k < 8; k++) x[j][k] = x[j][k] * inverse * gamma[j][k] + beta[j][k];
                store<8>(a.out, base + (j * LANES + lane) * 8, x[j]);
            }
        }
    }
}

FP_KERNEL(layer_norm_320, 128, 3, LayerNormArgs, a) { layer_norm<8>(a); }
FP_KERNEL(layer_norm_640, 128, 3, LayerNormArgs, a) { layer_norm<16>(a); }
FP_KERNEL(layer_norm_1280, 128, 3, LayerNormArgs, a) { layer_norm<32>(a); }
