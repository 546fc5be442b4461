// Ops that treat elements or positions by themselves. Eight elements a thread where channels allow, else one.
#include "common.h"

struct PointwiseArgs
{
    View left, right, out;
    i64 count;
    int channels, activation, tokens, images, row_count, row_by_frame, offset, halves;
    float left_scale, right_scale;
};

DEV i64 item_of(int width) { return ((i64)bid_x() * 256 + tid()) * width; }

template <int V> DEV void activation(const PointwiseArgs& a)
{
    i64 at = item_of(V);
    if (at >= a.count) return;
    float x[V];
    if (a.activation == ACT_GEGLU)
    {
        i64 position = at / a.channels;
        float gate[V];
        load<V>(a.left, at + position * a.channels, x);
        load<V>(a.left, at + (position + 1) * a.channels, gate);
        UNROLL for (int i = 0; i < V; i++) x[i] *= gelu(gate[i]);
    }
    else
    {
        load<V>(a.left, at, x);
        UNROLL for (int i = 0; i < V; i++) x[i] = activate(a.activation, x[i]);
    }

    store<V>(a.out, at, x);
}

FP_KERNEL(activate_8, 256, 2, PointwiseArgs, a) { activation<8>(a); }
FP_KERNEL(activate_1, 256, 2, PointwiseArgs, a) { activation<1>(a); }

template <int V> DEV void blend(const PointwiseArgs& a)
{
    i64 at = item_of(V);
    if (at >= a.count) return;
    float x[V], y[V];
    load<V>(a.left, at, x);
    load<V>(a.right, at, y);
    UNROLL for (int i = 0; i < V; i++) x[i] = a.left_scale * x[i] + a.right_scale * y[i];
    store<V>(a.out, at, x);
}

FP_KERNEL(blend_8, 256, 2, PointwiseArgs, a) { blend<8>(a); }
FP_KERNEL(blend_1, 256, 2, PointwiseArgs, a) { blend<1>(a); }

template <int V> DEV void add_rows(const PointwiseArgs& a)
{
    i64 at = item_of(V);
    if (at >= a.count) return;
    i64 position = at / a.channels;
    float x[V], y[V];
    load<V>(a.left, at, x);
    load<V>(a.right, (i64)row_of((int)(position / a.tokens), a.images, a.row_count, a.row_by_frame) * a.channels + at - position * a.channels, y);
    UNROLL for (int i = 0; i < V; i++) x[i] += y[i];
    store<V>(a.out, at, x);
}

FP_KERNEL(add_rows_8, 256, 2, PointwiseArgs, a) { add_rows<8>(a); }
FP_KERNEL(add_rows_1, 256, 2, PointwiseArgs, a) { add_rows<1>(a); }

struct AddTokensArgs
{
    View input, points, out;
    i64 count;
    int channels, height, width, rows, source, unused;
};

// Compared before it is made whole: shares may be infinite.
DEV int cell_of(float share, int cells)
{
    float cell = share * (float)cells;
    return cell < (float)(cells - 1) ? (int)cell : cells - 1;
}

// Drag points. Each thread looks through all rows for itself, so that points on one target add up in their order: the same bits at every run.
template <int V> DEV void add_tokens(const AddTokensArgs& a)
{
    i64 at = item_of(V);
    if (at >= a.count) return;
    i64 position = at / a.channels, tokens = (i64)a.height * a.width, image = position / tokens;
    float x[V];
    load<V>(a.input, at, x);
    if (image > a.source)
    {
        int y = (int)(position - image * tokens) / a.width, column = (int)(position - image * tokens) % a.width;
        for (int p = 0; p < a.rows; p++)
        {
            float from_x = load1(a.points, 4 * p), from_y = load1(a.points, 4 * p + 1), to_x = load1(a.points, 4 * p + 2), to_y = load1(a.points, 4 * p + 3);
            // As it stands, a row with NaN adds nothing, like one with a negative number.
            if (!(from_x >= 0 && from_y >= 0 && to_x >= 0 && to_y >= 0)) continue;
            if (cell_of(to_x, a.width) != column || cell_of(to_y, a.height) != y) continue;
            i64 from = a.source * tokens + (i64)cell_of(from_y, a.height) * a.width + cell_of(from_x, a.width);
            float token[V];
            load<V>(a.input, from * a.channels + at - position * a.channels, token);
            UNROLL for (int i = 0; i < V; i++) x[i] += token[i];
        }
    }

    store<V>(a.out, at, x);
}

FP_KERNEL(add_tokens_8, 256, 2, AddTokensArgs, a) { add_tokens<8>(a); }
FP_KERNEL(add_tokens_1, 256, 2, AddTokensArgs, a) { add_tokens<1>(a); }

FP_KERNEL(scale, 256, 2, PointwiseArgs, a)
{
    i64 at = item_of(1);
    if (at >= a.count) return;
    float x[1] = {load1(a.left, at) * load1(a.right, a.offset)};
    store<1>(a.out, at, x);
}

// A row as long as the output; its number is read from right, or given.
template <int V> DEV void select_row(const PointwiseArgs& a)
{
    i64 at = item_of(V);
    if (at >= a.count) return;
    i64 row = a.right.data ? (i64)load1(a.right, 0) : a.offset;
    float x[V];
    load<V>(a.left, row * a.count + at, x);
    store<V>(a.out, at, x);
}

FP_KERNEL(select_row_8, 256, 2, PointwiseArgs, a) { select_row<8>(a); }
FP_KERNEL(select_row_1, 256, 2, PointwiseArgs, a) { select_row<1>(a); }

struct SelectedRow
{
    const float* table;
    float* out;
    i64 length;
};

constexpr int MOST_ROWS = 64;

struct SelectRowsArgs
{
    const float* index;
    SelectedRow rows[MOST_ROWS];
};

// The rows of one number of many tables, a block each: a step wants some fifty, of a few KB.
FP_KERNEL(select_rows, 256, 2, SelectRowsArgs, a)
{
    // Without an index into an array, which would live in local memory.
    SelectedRow row = a.rows[0];
    UNROLL for (int i = 1; i < MOST_ROWS; i++)
    {
        if (bid_x() == i) row = a.rows[i];
    }

    const float* from = row.table + (i64)*a.index * row.length;
    for (i64 i = tid(); i < row.length; i += 256) row.out[i] = from[i];
}

// left: shared [frames]; right: conditional [1]; tokens counts the elements of an image, images the frames.
FP_KERNEL(join_halves, 256, 2, PointwiseArgs, a)
{
    i64 at = item_of(1);
    if (at >= a.count) return;
    i64 half = (i64)a.images * a.tokens;
    bool conditional = a.halves == 1 || at >= half;
    float x[1] = {load1(a.left, at % half)};
    if (conditional) x[0] += load1(a.right, at % a.tokens);
    store<1>(a.out, at, x);
}

// left: patches; right: class embedding, behind it the positions.
FP_KERNEL(class_token, 256, 2, PointwiseArgs, a)
{
    i64 at = item_of(1);
    if (at >= a.count) return;
    i64 position = at / a.channels, image = position / a.tokens;
    int c = (int)(at - position * a.channels), token = (int)(position - image * a.tokens);
    float own = token == 0 ? load1(a.right, c) : load1(a.left, (image * (a.tokens - 1) + token - 1) * a.channels + c);
    float x[1] = {own + load1(a.right, (i64)(token + 1) * a.channels + c)};
    store<1>(a.out, at, x);
}

struct SinusoidArgs
{
    View input, out;
    const double* frequencies;
    i64 count;
    int half;
};

// Angles go to thousands of radians: reduced to an eighth of a turn in double, then a Taylor polynomial.
FP_KERNEL(sinusoid, 256, 2, SinusoidArgs, a)
{
    i64 at = item_of(1);
    if (at >= a.count) return;
    i64 number = at / (2 * a.half);
    int k = (int)(at - number * 2 * a.half);
    bool cosine = k < a.half;
    double angle = (double)load1(a.input, number) * a.frequencies[cosine ? k : k - a.half];
    double turns = __builtin_rint(angle * 0.63661977236758134308);
    double r = angle - turns * 1.5707963267948965580 - turns * 6.1232339957367658860e-17;
    int quarter = ((int)(i64)turns + (cosine ? 1 : 0)) & 3;
    double z = r * r, result;
    if (quarter & 1)
    {
        result = 1 + z * (-1.0 / 2 + z * (1.0 / 24 + z * (-1.0 / 720 + z * (1.0 / 40320 + z * (-1.0 / 3628800 + z * (1.0 / 479001600))))));
    }
    else
    {
        result = r * (1 + z * (-1.0 / 6 + z * (1.0 / 120 + z * (-1.0 / 5040 + z * (1.0 / 362880 + z * (-1.0 / 39916800))))));
    }

    float x[1] = {(float)(quarter & 2 ? -result : result)};
    store<1>(a.out, at, x);
}

struct EulerArgs
{
    View velocity, latents, scalars, out;
    i64 count;
    int halves, unused;
};

FP_KERNEL(euler, 256, 2, EulerArgs, a)
{
    i64 at = item_of(1);
    if (at >= a.count) return;
    float sigma = load1(a.scalars, 0), next = load1(a.scalars, 1), weight = load1(a.scalars, 2);
    float v = load1(a.velocity, at), x = load1(a.latents, at);
    if (a.halves == 2) v += mul_rn(weight, load1(a.velocity, a.count + at) - v);

    // Each operation rounded by itself and in the original's order: latents are some hundred times the prediction at first, and what they lose then shows in edits of few steps.
    float variance = mul_rn(sigma, sigma) + 1;
    float clean = mul_rn(v, -sigma / __builtin_sqrtf(variance)) + x / variance;
    float r[1] = {x + mul_rn((x - clean) / sigma, next - sigma)};
    store<1>(a.out, at, r);
}
