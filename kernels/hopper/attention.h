// Attention on Hopper for heads of 64: an online softmax whose two products are of warpgroups. A block takes 64 queries a warpgroup of one
// head; one thread copies keys and values, 128 at a time, through a ring. The scores of the next keys are under way while the
// probabilities of these are multiplied by their values; warpgroups run apart, so that exponentials of one hide behind products of another.
#pragma once
#include "../common.h"
#include "ring.h"

// Maps are of channels, tokens and images, boxes of 64 channels.
struct FP_ALIGNED_ARGUMENT HopperAttentionSet
{
    TensorMap query, key, value;
    int query_channel, key_channel, value_channel, keys, key_images, unused[11];
};

struct FP_ALIGNED_ARGUMENT HopperAttentionArgs
{
    HopperAttentionSet sets[2];
    View out;
    int images, tokens, heads, out_channels;
    float scale_log2;
};

// GROUPS warpgroups multiply; keys and values go through STAGES stages.
template <int GROUPS, int STAGES> struct HopperAttention
{
    static constexpr int DIM = 64, QUERIES = 64, KEYS = 128;
    static constexpr int QUERY = QUERIES * DIM, TILE = KEYS * DIM, TILE_BYTES = TILE * 2;

    struct Shared
    {
        half *query, *stages;
        u64 *full, *empty, *queries;
    };

    using Ring = ::Ring<STAGES>;

    DEV Shared shared()
    {
        unsigned char* base = first_stage();
        half* stages = (half*)base + GROUPS * QUERY;
        u64* barriers = (u64*)(stages + STAGES * TILE);
        return {(half*)base, stages, barriers, barriers + STAGES, barriers + 2 * STAGES};
    }

    // Keys and values lie in stages of their own, keys first: the products of both begin as early as they can.
    DEV void produce(const HopperAttentionSet& set, u64 maps, const Shared& s, int image, int head, int key_image)
    {
        int first = bid_x() * GROUPS * QUERIES;
        barrier_expect(s.queries, GROUPS * QUERY * 2);
        UNROLL for (int g = 0; g < GROUPS; g++)
            tensor_load3(s.query + g * QUERY, maps, s.queries, set.query_channel + head * DIM, first + g * QUERIES, image);
        Ring ring = {0, 1};
        for (int key = 0; key < set.keys; key += KEYS)
        {
            UNROLL for (int part = 0; part < 2; part++)
            {
                u64* full = s.full + ring.stage;
                barrier_wait(s.empty + ring.stage, ring.parity);
                barrier_expect(full, TILE_BYTES);
                tensor_load3(s.stages + ring.stage * TILE, maps + (part + 1) * sizeof(TensorMap), full, (part ? set.value_channel : set.key_channel) + head * DIM, key, key_image);
                advance(ring);
            }
        }
    }

    // Awaits the keys of a stage and starts their scores.
    DEV void begin_scores(const Shared& s, const Ring& at, const half* query, float (&sums)[64])
    {
        barrier_wait(s.full + at.stage, at.parity);
        hold(sums);
        products_fence();
        u64 a = describe(query), b = describe(s.stages + at.stage * TILE);
        UNROLL for (int k = 0; k < DIM / 16; k++) warpgroup_multiply(sums, a + k * 2, b + k * 2, k > 0);
        products_commit();
    }

    // Awaits the values of a stage and starts to add them, weighed. They lie as keys by channels: sixteen of their rows at a time, 2048 bytes apart.
    DEV void begin_sums(const Shared& s, const Ring& at, const u32 (&p)[32], float (&out)[32])
    {
        barrier_wait(s.full + at.stage, at.parity);
        hold(out);
        products_fence();
        u64 b = describe(s.stages + at.stage * TILE);
        UNROLL for (int k = 0; k < KEYS / 16; k++)
        {
            const u32 left[4] = {p[4 * k], p[4 * k + 1], p[4 * k + 2], p[4 * k + 3]};
            warpgroup_multiply_rows(out, left, b + k * (2048 >> 4));
        }

        products_commit();
    }

    // Powers of two by which a score may exceed the one that all are measured by: probabilities to 2^8 are as exact in halves as those to 1,
    // and sums seldom need to shrink behind the first keys.
    static constexpr float SLACK = 8;

    // Rows of a fragment lie four lanes wide: lane / 4 and lane / 4 + 8. Turns scores into probabilities, measured by about the largest so far,
    // and says by what the sums so far shrink.
    DEV void soften(float (&s)[64], float (&largest)[2], float (&total)[2], float (&shrink)[2], float scale)
    {
        UNROLL for (int h = 0; h < 2; h++)
        {
            float most = largest[h];
            UNROLL for (int j = 0; j < 16; j++) most = __builtin_fmaxf(most, __builtin_fmaxf(s[4 * j + 2 * h], s[4 * j + 2 * h + 1]));
            most = __builtin_fmaxf(most, shfl_xor(most, 1));
            most = __builtin_fmaxf(most, shfl_xor(most, 2));
            bool beyond = (most - largest[h]) * scale > SLACK;
            shrink[h] = beyond ? ex2((largest[h] - most) * scale) : 1;
            largest[h] = beyond ? most : largest[h];
            float offset = largest[h] * scale, sum = 0;
            UNROLL for (int j = 0; j < 16; j++)
            {
                UNROLL for (int e = 0; e < 2; e++)
                {
                    float p = ex2(s[4 * j + 2 * h + e] * scale - offset);
                    s[4 * j + 2 * h + e] = p;
                    sum += p;
                }
            }

            total[h] = total[h] * shrink[h] + sum;
        }
    }

    DEV void pack(const float (&s)[64], u32 (&p)[32])
    {
        UNROLL for (int k = 0; k < 8; k++)
        {
            p[4 * k] = pack2(s[8 * k], s[8 * k + 1]);
            p[4 * k + 1] = pack2(s[8 * k + 2], s[8 * k + 3]);
            p[4 * k + 2] = pack2(s[8 * k + 4], s[8 * k + 5]);
            p[4 * k + 3] = pack2(s[8 * k + 6], s[8 * k + 7]);
        }
    }

    // Keys beyond the last count for nothing.
    DEV void mask(float (&s)[64], int left)
    {
        int beyond = left - tid() % 4 * 2;
        UNROLL for (int j = 0; j < 16; j++)
        {
            UNROLL for (int e = 0; e < 4; e++)
            {
                if (j * 8 + e % 2 >= beyond) s[4 * j + e] = -__builtin_inff();
            }
        }
    }

    DEV void release(const Shared& s, u32 stage)
    {
        if (tid() % 32 == 0) barrier_arrive(s.empty + stage);
    }

    DEV void consume(const HopperAttentionArgs& a, const HopperAttentionSet& set, const Shared& s, int image, int head)
    {
        int group = tid() / 128;
        const half* query = s.query + group * QUERY;
        float score_sums[64], out[32], largest[2], total[2], shrink[2];
        u32 p[32];
        UNROLL for (int i = 0; i < 32; i++) out[i] = 0;
        UNROLL for (int i = 0; i < 64; i++) score_sums[i] = 0;
        UNROLL for (int h = 0; h < 2; h++)
        {
            largest[h] = -__builtin_inff();
            total[h] = 0;
        }

        Ring ring = {0, 0};
        barrier_wait(s.queries, 0);
        begin_scores(s, ring, query, score_sums);
        products_wait<0>();
        hold(score_sums);
        release(s, ring.stage);
        advance(ring);
        if (set.keys < KEYS) mask(score_sums, set.keys);
        soften(score_sums, largest, total, shrink, a.scale_log2);
        pack(score_sums, p);
        for (int key = KEYS; key < set.keys; key += KEYS)
        {
            Ring values = ring;
            advance(ring);
            begin_scores(s, ring, query, score_sums);
            begin_sums(s, values, p, out);
            products_wait<1>();
            hold(score_sums);
            release(s, ring.stage);
            advance(ring);
            if (set.keys - key < KEYS) mask(score_sums, set.keys - key);
            soften(score_sums, largest, total, shrink, a.scale_log2);
            products_wait<0>();
            hold(out);
            hold(p);
            release(s, values.stage);
            if (any(shrink[0] != 1 || shrink[1] != 1))
            {
                UNROLL for (int i = 0; i < 32; i++) out[i] *= shrink[i / 2 % 2];
            }

            pack(score_sums, p);
        }

        begin_sums(s, ring, p, out);
        products_wait<0>();
        hold(out);
        release(s, ring.stage);
        store_rows(a, image, head, group, total, out);
    }

    DEV void store_rows(const HopperAttentionArgs& a, int image, int head, int group, const float (&total)[2], const float (&out)[32])
    {
        int lane = tid() % 32;
        UNROLL for (int h = 0; h < 2; h++)
        {
            float sum = total[h];
            sum += shfl_xor(sum, 1);
            sum += shfl_xor(sum, 2);
            float inverse = 1.0f / sum;
            int token = (bid_x() * GROUPS + group) * QUERIES + tid() % 128 / 32 * 16 + lane / 4 + h * 8;
            if (token >= a.tokens) continue;
            i64 at = ((i64)image * a.tokens + token) * a.out_channels + (bid_z() * a.heads + head) * DIM + lane % 4 * 2;
            UNROLL for (int j = 0; j < 8; j++)
            {
                float low = out[4 * j + 2 * h] * inverse, high = out[4 * j + 2 * h + 1] * inverse;
                if (a.out.half)
                {
                    *(u32*)((half*)a.out.data + at + j * 8) = pack2(low, high);
                }
                else
                {
                    ((float*)a.out.data)[at + j * 8] = low;
                    ((float*)a.out.data)[at + j * 8 + 1] = high;
                }
            }
        }
    }

    DEV void run(const HopperAttentionArgs& a, u64 argument)
    {
        Shared s = shared();
        if (tid() == 0)
        {
            barrier_init(s.queries, 1);
            for (int i = 0; i < STAGES; i++)
            {
                barrier_init(s.full + i, 1);
                barrier_init(s.empty + i, GROUPS * 4);
            }

            barrier_publish();
        }

        sync();
        let_next_begin();
        await_launches();
        // The set of this block without an index into an array, which would live in local memory.
        bool second = bid_z() != 0;
        const HopperAttentionSet& set = second ? a.sets[1] : a.sets[0];
        int image = bid_y() / a.heads, head = bid_y() - image * a.heads;
        int key_image = shared_row(image, a.images, set.key_images);
        if (tid() >= GROUPS * 128)
        {
            registers_down<32>();
            if (tid() == GROUPS * 128) produce(set, argument + (second ? sizeof(HopperAttentionSet) : 0), s, image, head, key_image);
        }
        else
        {
            registers_up<160>();
            consume(a, set, s, image, head);
        }
    }
};
