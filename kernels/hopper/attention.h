// Attention on Hopper for heads of 64: an online softmax whose two products are of warpgroups. A block takes 64 queries a warpgroup of one
// head; one thread copies keys and values, 128 at a time, through a ring. Probabilities are multiplied by their values while the next
// become exponentials; warpgroups take turns at their scores, so that exponentials of one hide behind products of the others, too.
#pragma once
#include "../common.h"
#include "joint.h"
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
    // Tiles of a head's queries; how many of all are computed whole; slices of the keys of each of the others.
    int tiles, whole, slices;
    // Sums of tiles that several blocks share, and how many of each warpgroup's have come.
    float* partial;
    u32* arrived;
};

// GROUPS warpgroups multiply.
template <int GROUPS> struct HopperAttention
{
    // A tile's values are given back behind the exponentials of the next, by the last warpgroup two turns later: stages for four tiles.
    static constexpr int DIM = 64, QUERIES = 64, KEYS = 128, STAGES = 8;
    static constexpr int QUERY = QUERIES * DIM, TILE = KEYS * DIM, TILE_BYTES = TILE * 2;

    struct Shared
    {
        half *query, *stages;
        u64 *full, *empty, *queries, *turns;
        u32* last;
    };

    // What a block computes: a tile of queries, by the keys from one step to another; which of the shared tiles it is, or less than 0.
    struct Work
    {
        bool second;
        int tile, image, head, first, last, shared, slice;
    };

    using Ring = ::Ring<STAGES>;

    DEV Shared shared()
    {
        unsigned char* base = first_stage();
        half* stages = (half*)base + GROUPS * QUERY;
        u64 *barriers = (u64*)(stages + STAGES * TILE), *turns = barriers + 2 * STAGES + 1;
        return {(half*)base, stages, barriers, barriers + STAGES, turns - 1, turns, (u32*)(turns + GROUPS)};
    }

    // Without an index into an array, which would live in local memory.
    DEV const HopperAttentionSet& set_of(const HopperAttentionArgs& a, const Work& work) { return work.second ? a.sets[1] : a.sets[0]; }

    // Found anew where it is called: registers are wanted for sums meanwhile.
    DEV Work find_work(const HopperAttentionArgs& a)
    {
        int number = block();
        Work work = {false, number, 0, 0, 0, 0, number - a.whole, 0};
        int slices = 1;
        if (work.shared >= 0)
        {
            slices = a.slices;
            int at = work.shared;
            work.shared = at / slices;
            work.slice = at - work.shared * slices;
            work.tile = a.whole + work.shared;
        }

        int heads = work.tile / a.tiles, images = heads / a.heads;
        work.tile -= heads * a.tiles;
        work.head = heads - images * a.heads;
        work.second = images >= a.images;
        work.image = work.second ? images - a.images : images;
        int steps = (set_of(a, work).keys + KEYS - 1) / KEYS;
        work.first = steps * work.slice / slices;
        work.last = steps * (work.slice + 1) / slices;
        return work;
    }

    // Keys and values lie in stages of their own, keys first: the products of both begin as early as they can.
    DEV void produce(const HopperAttentionArgs& a, const Work& work, const Shared& s, u64 argument)
    {
        const HopperAttentionSet& set = set_of(a, work);
        u64 maps = argument + (work.second ? sizeof(HopperAttentionSet) : 0);
        int first = work.tile * GROUPS * QUERIES, key_image = shared_row(work.image, a.images, set.key_images);
        barrier_expect(s.queries, GROUPS * QUERY * 2);
        UNROLL for (int g = 0; g < GROUPS; g++)
            tensor_load3(s.query + g * QUERY, maps, s.queries, set.query_channel + work.head * DIM, first + g * QUERIES, work.image);
        Ring ring = {0, 1};
        for (int step = work.first; step < work.last; step++)
        {
            UNROLL for (int part = 0; part < 2; part++)
            {
                u64* full = s.full + ring.stage;
                barrier_wait(s.empty + ring.stage, ring.parity);
                barrier_expect(full, TILE_BYTES);
                tensor_load3(s.stages + ring.stage * TILE, maps + (part + 1) * sizeof(TensorMap), full, (part ? set.value_channel : set.key_channel) + work.head * DIM, step * KEYS,
                             key_image);
                advance(ring);
            }
        }
    }

    // Scores are multiplied by one warpgroup after the other: all at once would have their scores at the same time, and tensor cores would idle
    // while all make exponentials.
    DEV void take_turn(const Shared& s, u32& phase)
    {
        barrier_wait(s.turns + tid() / 128, phase);
        phase ^= 1;
    }

    DEV void pass_turn(const Shared& s)
    {
        int next = tid() / 128 + 1;
        if (tid() % 32 == 0) barrier_arrive(s.turns + (next == GROUPS ? 0 : next));
    }

    // Awaits the keys of a stage and starts their scores.
    DEV void begin_scores(const Shared& s, const Ring& at, const half* query, float (&sums)[64])
    {
        barrier_wait(s.full + at.stage, at.parity);
        hold(sums);
        products_fence();
        int a = describe(query);
        hold(a);
        u32 b = describe(s.stages + at.stage * TILE);
        UNROLL for (int k = 0; k < DIM / 16; k++) warpgroup_multiply(sums, a + k * 2, b + k * 2, k > 0);
        products_commit();
    }

    // Awaits the values of a stage and starts to add them, weighed. They lie as keys by channels: sixteen of their rows at a time, 2048 bytes apart.
    DEV void begin_sums(const Shared& s, const Ring& at, const u32 (&p)[32], float (&out)[32])
    {
        barrier_wait(s.full + at.stage, at.parity);
        hold(out);
        products_fence();
        u32 b = describe(s.stages + at.stage * TILE);
        UNROLL for (int k = 0; k < KEYS / 16; k++)
        {
            const u32 left[4] = {p[4 * k], p[4 * k + 1], p[4 * k + 2], p[4 * k + 3]};
            warpgroup_multiply_rows(out, left, b + k * (2048 >> 4));
        }

        products_commit();
    }

    // What a thread's probabilities of a row may come to: each is then finite as a half, and as exact as those up to 1.
    static constexpr float MOST = 32768;

    // Rows of a fragment lie four lanes wide: lane / 4 and lane / 4 + 8. The largest of them and of those before.
    DEV void find_largest(const float (&s)[64], float (&largest)[2])
    {
        UNROLL for (int h = 0; h < 2; h++)
        {
            float most = largest[h];
            UNROLL for (int j = 0; j < 16; j++) most = __builtin_fmaxf(most, __builtin_fmaxf(s[4 * j + 2 * h], s[4 * j + 2 * h + 1]));
            most = __builtin_fmaxf(most, shfl_xor(most, 1));
            largest[h] = __builtin_fmaxf(most, shfl_xor(most, 2));
        }
    }

    // Turns scores into probabilities, measured by a score of each row, and adds up this thread's.
    DEV void soften(float (&s)[64], const float (&measure)[2], float (&sums)[2], float scale)
    {
        UNROLL for (int h = 0; h < 2; h++)
        {
            float offset = measure[h] * scale;
            sums[h] = 0;
            UNROLL for (int j = 0; j < 16; j++)
            {
                UNROLL for (int e = 0; e < 2; e++)
                {
                    float p = ex2(s[4 * j + 2 * h + e] * scale - offset);
                    s[4 * j + 2 * h + e] = p;
                    sums[h] += p;
                }
            }
        }
    }

    // The scores of a tile once more, by a warp alone: the others of its warpgroup may not want theirs.
    DEV void score_again(const half* query, const half* keys, float (&s)[64])
    {
        // Rows swizzled: the eight sixteen-byte columns of a row are exchanged by its number.
        int thread = tid();
        hold(thread);
        int lane = thread % 32, row = lane / 4;
        const u32 *left = (const u32*)query + (thread % 128 / 32 * 16 + row) * 32 + lane % 4, *right = (const u32*)keys + row * 32 + lane % 4;
        UNROLL for (int i = 0; i < 64; i++) s[i] = 0;
        _Pragma("nounroll") for (int k = 0; k < DIM / 8; k += 2)
        {
            int low = (k ^ row) * 4, high = (k + 1 ^ row) * 4;
            const u32 a[4] = {left[low], left[8 * 32 + low], left[high], left[8 * 32 + high]};
            UNROLL for (int j = 0; j < 16; j++)
            {
                float c[4] = {s[4 * j], s[4 * j + 1], s[4 * j + 2], s[4 * j + 3]};
                mma16816(c, a, right[j * 8 * 32 + low], right[j * 8 * 32 + high]);
                UNROLL for (int e = 0; e < 4; e++) s[4 * j + e] = c[e];
            }
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

    // Numbers that a thread leaves of a slice, four at a time beside those of its neighbours: its sums, largest scores and totals.
    static constexpr int LEFT = 36;

    DEV float* partial_of(const HopperAttentionArgs& a, const Work& work, int group, int slice)
    {
        return a.partial + ((i64)(work.shared * GROUPS + group) * a.slices + slice) * (LEFT * 128) + thread_of_group() * 4;
    }

    // Leaves a slice's sums for whoever comes last, who adds all of them in their order, each shrunk as the largest score of all wants it;
    // false for the others.
    DEV bool join(const HopperAttentionArgs& a, const Shared& s, const Work& work, int group, float (&largest)[2], float (&total)[2], float (&out)[32])
    {
        float* own = partial_of(a, work, group, work.slice);
        UNROLL for (int i = 0; i < 32; i += 4) *(f32x4*)(own + i * 128) = f32x4{out[i], out[i + 1], out[i + 2], out[i + 3]};
        *(f32x4*)(own + 32 * 128) = f32x4{largest[0], largest[1], total[0], total[1]};
        u32* arrived = a.arrived + work.shared * GROUPS + group;
        if (!comes_last(arrived, s.last + group, a.slices)) return false;
        set_back(arrived);
        UNROLL for (int h = 0; h < 2; h++)
        {
            largest[h] = -__builtin_inff();
            total[h] = 0;
        }

        for (int i = 0; i < a.slices; i++)
        {
            f32x4 other = load_fresh(partial_of(a, work, group, i) + 32 * 128);
            UNROLL for (int h = 0; h < 2; h++) largest[h] = __builtin_fmaxf(largest[h], other[h]);
        }

        UNROLL for (int i = 0; i < 32; i++) out[i] = 0;
        for (int i = 0; i < a.slices; i++)
        {
            const float* from = partial_of(a, work, group, i);
            f32x4 other = load_fresh(from + 32 * 128);
            float shrink[2];
            UNROLL for (int h = 0; h < 2; h++)
            {
                shrink[h] = ex2((other[h] - largest[h]) * a.scale_log2);
                total[h] += other[2 + h] * shrink[h];
            }

            UNROLL for (int j = 0; j < 32; j += 4)
            {
                f32x4 sums = load_fresh(from + j * 128);
                UNROLL for (int e = 0; e < 4; e++) out[j + e] += sums[e] * shrink[e / 2];
            }
        }

        return true;
    }

    DEV void consume(const HopperAttentionArgs& a, const Work& work, const Shared& s)
    {
        int group = tid() / 128, keys = set_of(a, work).keys - work.first * KEYS, left = work.last - work.first;
        const half* query = s.query + group * QUERY;
        float score_sums[64], out[32], largest[2], total[2];
        u32 p[32];
        UNROLL for (int i = 0; i < 32; i++) out[i] = 0;
        UNROLL for (int i = 0; i < 64; i++) score_sums[i] = 0;
        UNROLL for (int h = 0; h < 2; h++) largest[h] = -__builtin_inff();
        Ring ring = {0, 0};
        // A barrier that nobody has come to lets the first turn through.
        u32 turn = group == 0;
        barrier_wait(s.queries, 0);
        take_turn(s, turn);
        begin_scores(s, ring, query, score_sums);
        products_wait<0>();
        hold(score_sums);
        pass_turn(s);
        release(s, ring.stage);
        advance(ring);
        if (keys < KEYS) mask(score_sums, keys);
        find_largest(score_sums, largest);
        soften(score_sums, largest, total, a.scale_log2);
        pack(score_sums, p);
        while (--left > 0)
        {
            keys -= KEYS;
            Ring values = ring;
            advance(ring);
            take_turn(s, turn);
            begin_scores(s, ring, query, score_sums);
            begin_sums(s, values, p, out);
            products_wait<1>();
            hold(score_sums);
            pass_turn(s);
            if (keys < KEYS) mask(score_sums, keys);
            // Measured by the largest score of earlier keys: a larger one is not looked for unless some go far beyond it.
            float sums[2], shrink[2];
            soften(score_sums, largest, sums, a.scale_log2);
            // This branch, which wants sums of exponentials, also keeps the assembler from waiting for the values' products before them. It is a
            // warp's own, and has no wait in it: all of a warpgroup must come to the same.
            bool leapt = any(sums[0] > MOST || sums[1] > MOST);
            if (leapt)
            {
                score_again(query, s.stages + ring.stage * TILE, score_sums);
                if (keys < KEYS) mask(score_sums, keys);
                float before[2] = {largest[0], largest[1]};
                find_largest(score_sums, largest);
                soften(score_sums, largest, sums, a.scale_log2);
                UNROLL for (int h = 0; h < 2; h++) shrink[h] = ex2((before[h] - largest[h]) * a.scale_log2);
            }

            products_wait<0>();
            hold(out);
            hold(p);
            if (leapt)
            {
                UNROLL for (int i = 0; i < 32; i++) out[i] *= shrink[i / 2 % 2];
                UNROLL for (int h = 0; h < 2; h++) total[h] *= shrink[h];
            }

            UNROLL for (int h = 0; h < 2; h++) total[h] += sums[h];
            release(s, values.stage);
            release(s, ring.stage);
            advance(ring);
            pack(score_sums, p);
        }

        begin_sums(s, ring, p, out);
        products_wait<0>();
        hold(out);
        release(s, ring.stage);
        Work done = find_work(a);
        if (done.shared < 0 || join(a, s, done, group, largest, total, out)) store_rows(a, done, group, total, out);
    }

    DEV void store_rows(const HopperAttentionArgs& a, const Work& work, int group, const float (&total)[2], const float (&out)[32])
    {
        int lane = tid() % 32;
        UNROLL for (int h = 0; h < 2; h++)
        {
            float sum = total[h];
            sum += shfl_xor(sum, 1);
            sum += shfl_xor(sum, 2);
            float inverse = 1.0f / sum;
            int token = (work.tile * GROUPS + group) * QUERIES + tid() % 128 / 32 * 16 + lane / 4 + h * 8;
            if (token >= a.tokens) continue;
            i64 at = ((i64)work.image * a.tokens + token) * a.out_channels + ((work.second ? a.heads : 0) + work.head) * DIM + lane % 4 * 2;
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
            for (int i = 0; i < GROUPS; i++) barrier_init(s.turns + i, 4);
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
        Work work = find_work(a);
        if (tid() >= GROUPS * 128)
        {
            registers_down<GROUPS == 3 ? 32 : 24>();
            if (tid() == GROUPS * 128) produce(a, work, s, argument);
        }
        else
        {
            registers_up<GROUPS == 3 ? 160 : 240>();
            consume(a, work, s);
        }
    }
};
