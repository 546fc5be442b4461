// Attention for heads of any width up to 512 and operands of any type, in float32: one warp a query, one lane a key.
// Also the naive twin of the tensor-core kernels, and the kernel that writes probabilities out.
#include "attention.h"
#include "eights.h"

constexpr int WIDEST = 512, WARPS = 4;

struct Scratch
{
    float query[WIDEST];
    float weights[32];
};

DEV Scratch* load_query(const AttentionSet& s, const AttentionArgs& a, int image, int head, int token)
{
    Scratch* mine = (Scratch*)smem() + tid() / 32;
    for (int d = tid() % 32; d < a.head_dim; d += 32)
        mine->query[d] = load1(s.query, ((i64)image * a.tokens + token) * s.query_stride + head * a.head_dim + d);
    sync_warp();
    return mine;
}

// The score of the key at this lane, in units of log2; minus infinity beyond the last.
DEV float score_of(const AttentionSet& s, const AttentionArgs& a, const Scratch* mine, int key_image, int head, int key)
{
    if (key >= s.keys) return -__builtin_inff();
    i64 at = ((i64)key_image * s.keys + key) * s.key_stride + head * a.head_dim;
    float sum = 0;
    for (int d = 0; d < a.head_dim; d++) sum += mine->query[d] * load1(s.key, at + d);
    // A score minus itself must be zero. clang fuses products into sums on the device whatever it is told of contraction.
    return mul_rn(sum, a.scale_log2);
}

FP_KERNEL(attention_any, 128, 1, AttentionArgs, a)
{
    AttentionSet s = set_of(a);
    int lane = tid() % 32;
    int image = bid_y() / a.heads, head = bid_y() - image * a.heads;
    int token = bid_x() * WARPS + tid() / 32;
    if (token >= a.tokens) return;
    int key_image = shared_row(image, a.images, s.key_images);
    Scratch* mine = load_query(s, a, image, head, token);
    float out[WIDEST / 32], largest = -__builtin_inff(), total = 0;
    UNROLL for (int i = 0; i < WIDEST / 32; i++) out[i] = 0;
    for (int first = 0; first < s.keys; first += 32)
    {
        float score = score_of(s, a, mine, key_image, head, first + lane);
        float most = __builtin_fmaxf(largest, warp_max(score));
        float weight = ex2(score - most), correction = ex2(largest - most);
        largest = most;
        total = total * correction + weight;
        mine->weights[lane] = weight;
        sync_warp();
        UNROLL for (int i = 0; i < WIDEST / 32; i++) out[i] *= correction;
        int count = s.keys - first < 32 ? s.keys - first : 32;
        for (int j = 0; j < count; j++)
        {
            float w = mine->weights[j];
            i64 at = ((i64)key_image * s.keys + first + j) * s.value_stride + head * a.head_dim + lane;
            UNROLL for (int i = 0; i < WIDEST / 32; i++)
            {
                if (lane + i * 32 < a.head_dim) out[i] += w * load1(s.value, at + i * 32);
            }
        }

        sync_warp();
    }

    float inverse = 1.0f / warp_sum(total);
    i64 at = ((i64)image * a.tokens + token) * a.out_channels + (bid_z() * a.heads + head) * a.head_dim + lane;
    UNROLL for (int i = 0; i < WIDEST / 32; i++)
    {
        float result[1] = {out[i] * inverse};
        if (lane + i * 32 < a.head_dim) store<1>(a.out, at + i * 32, result);
    }
}

FP_KERNEL(attention_probabilities, 128, 1, AttentionArgs, a)
{
    AttentionSet s = set_of(a);
    int lane = tid() % 32;
    int image = bid_y() / a.heads, head = bid_y() - image * a.heads;
    int token = bid_x() * WARPS + tid() / 32;
    if (token >= a.tokens) return;
    int key_image = shared_row(image, a.images, s.key_images);
    Scratch* mine = load_query(s, a, image, head, token);
    float largest = -__builtin_inff(), total = 0;
    for (int first = 0; first < s.keys; first += 32)
    {
        float score = score_of(s, a, mine, key_image, head, first + lane);
        float most = __builtin_fmaxf(largest, warp_max(score));
        total = total * ex2(largest - most) + ex2(score - most);
        largest = most;
    }

    float inverse = 1.0f / warp_sum(total);
    i64 row = (((i64)image * a.heads + head) * a.tokens + token) * s.keys;
    for (int key = lane; key < s.keys; key += 32)
    {
        float p[1] = {ex2(score_of(s, a, mine, key_image, head, key) - largest) * inverse};
        store<1>(a.out, row + key, p);
    }
}

// Two keys, the frames of a half at the same position: a softmax in closed form. One warp a query.
FP_KERNEL(temporal_attention, 128, 1, AttentionArgs, a)
{
    AttentionSet s = set_of(a);
    int lane = tid() % 32;
    i64 item = (i64)bid_x() * WARPS + tid() / 32;
    int head = (int)(item % a.heads);
    i64 position = item / a.heads;
    if (position >= (i64)a.images * a.tokens) return;
    i64 image = position / a.tokens;
    i64 first = position - image % 2 * a.tokens, second = first + a.tokens;
    int channel = head * a.head_dim;
    float dot0 = 0, dot1 = 0;
    for (int d = lane; d < a.head_dim; d += 32)
    {
        float q = load1(s.query, position * s.query_stride + channel + d);
        dot0 += q * load1(s.key, first * s.key_stride + channel + d);
        dot1 += q * load1(s.key, second * s.key_stride + channel + d);
    }

    dot0 = mul_rn(warp_sum(dot0), a.scale_log2);
    dot1 = mul_rn(warp_sum(dot1), a.scale_log2);
    float p0 = 1.0f / (1.0f + ex2(dot1 - dot0)), p1 = 1.0f / (1.0f + ex2(dot0 - dot1));
    for (int d = lane; d < a.head_dim; d += 32)
    {
        float r[1] = {p0 * load1(s.value, first * s.value_stride + channel + d) + p1 * load1(s.value, second * s.value_stride + channel + d)};
        store<1>(a.out, position * a.out_channels + channel + d, r);
    }
}

// The same of halves in eights: a thread takes eight channels of both frames, head_dim / 8 neighbours (a power of two up to 32) join a head.
FP_KERNEL(temporal_attention_8, 256, 2, AttentionArgs, a)
{
    const AttentionSet& s = a.sets[0];
    u32 vectors = a.heads * a.head_dim / 8, tokens = a.tokens, items = (u32)a.images / 2 * tokens * vectors;
    u32 index = (u32)bid_x() * 256 + tid(), item = index < items ? index : items - 1;
    u32 place = item / vectors, channel = (item - place * vectors) * 8;
    i64 first = (i64)place + (i64)(place / tokens) * tokens, second = first + tokens;
    Eight<true> raw[6] = {
        fetch<true>(s.query.data, first * s.query_stride + channel), fetch<true>(s.query.data, second * s.query_stride + channel),
        fetch<true>(s.key.data, first * s.key_stride + channel), fetch<true>(s.key.data, second * s.key_stride + channel),
        fetch<true>(s.value.data, first * s.value_stride + channel), fetch<true>(s.value.data, second * s.value_stride + channel),
    };
    float query[2][8], key[2][8], value[2][8], result[8];
    UNROLL for (int f = 0; f < 2; f++)
    {
        widen(raw[f], query[f]);
        widen(raw[2 + f], key[f]);
        widen(raw[4 + f], value[f]);
    }

    // A softmax over two is a sigmoid of their difference.
    float lead[2] = {0, 0};
    UNROLL for (int i = 0; i < 8; i++)
    {
        float difference = key[1][i] - key[0][i];
        lead[0] += query[0][i] * difference;
        lead[1] += query[1][i] * difference;
    }

    UNROLL for (int f = 0; f < 2; f++)
    {
        for (int mask = a.head_dim / 16; mask > 0; mask >>= 1) lead[f] += shfl_xor(lead[f], mask);
        float e = lead[f] * a.scale_log2, p0 = rcp(1.0f + ex2(e)), p1 = rcp(1.0f + ex2(-e));
        UNROLL for (int i = 0; i < 8; i++) result[i] = p0 * value[0][i] + p1 * value[1][i];
        if (index < items) store<8>(a.out, (f == 0 ? first : second) * a.out_channels + channel, result);
    }
}
