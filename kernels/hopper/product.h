// Products on Hopper: linear maps, convolutions over pictures (stride 1 or 2, or of a doubled input) and over time, all as boxes of a tensor.
// A tile of 128 outputs is a box of positions (x, y, image); a step reads the same box, moved by the tap, 64 channels at a time,
// and zeros beyond the edges come from the engine that copies tensors. Channels may end anywhere: behind them it reads zeros too,
// so that the weights beside them do not count. Channels of the output come in eights.
#pragma once
#include "product_finish.h"

// One thread copies, two warpgroups multiply a tile of 128 x BN each, by turns: while one stores its tile, the other multiplies.
// The two blocks of a CLUSTER of 2 have tiles of the same columns: each copies half of the weights' box to both, so that a block reads
// 26 KB a step (BN = 160) from the second-level cache in place of 36. They go through the ring in step: a stage is empty when both are done with it.
template <int BN, int STAGES, int CLUSTER> struct HopperProduct
{
    using Finish = ProductFinish<BN>;
    static constexpr int BM = Finish::BM, SUMS = Finish::SUMS, STEP = 64, GROUPS = 2;
    static constexpr int LEFT = BM * STEP, STAGE = (BM + BN) * STEP, STAGE_BYTES = STAGE * 2;
    // Columns of the weights that a block copies.
    static constexpr int COPIED = BN / CLUSTER;

    using Ring = ::Ring<STAGES>;

    // tiles: what is stored, one for each warpgroup; sums: of each for the next norm. asked: residuals on their way to a tile.
    // next: where the warpgroup whose turn it is begins to read.
    struct Shared
    {
        half* stages;
        unsigned char* tiles;
        u64 *full, *empty, *turn, *asked;
        f32x2* sums;
        Ring* next;
        u32* last;
    };

    // What a warpgroup computes: a tile, or a slice of one; first to last of the tile's steps.
    struct Item : ProductTileAt
    {
        int ky, first, last, shared, slice;
    };

    DEV Shared shared()
    {
        unsigned char* base = first_stage();
        unsigned char* tiles = base + STAGES * STAGE_BYTES;
        u64* barriers = (u64*)(tiles + GROUPS * Finish::TILE_BYTES);
        u64 *turn = barriers + 2 * STAGES, *asked = turn + GROUPS;
        f32x2* sums = (f32x2*)(asked + GROUPS);
        Ring* next = (Ring*)(sums + GROUPS * Finish::GROUP_SUMS);
        return {(half*)base, tiles, barriers, barriers + STAGES, turn, asked, sums, next, (u32*)(next + 1)};
    }

    DEV int items_of(const HopperProductArgs& a) { return a.whole + a.shared * a.slices; }

    DEV int steps_of(int channels) { return (channels + STEP - 1) / STEP; }

    DEV int steps_of_tap(const HopperProductArgs& a) { return steps_of(a.product.channels0) + steps_of(a.product.channels1); }

    DEV int rank() { return CLUSTER > 1 ? cluster_rank() : 0; }

    // The cluster's first item, and from one to its next.
    DEV int first_item()
    {
        int block = bid_x();
        hold(block);
        return block / CLUSTER;
    }

    DEV int items_apart() { return blocks() / CLUSTER; }

    // Tiles of the same rows run at the same time, so that what they read stays near. Items of a cluster are tiles of neighbouring rows: the last
    // may lie beyond the edge, where zeros are read and nothing is stored.
    DEV Item item_at(const HopperProductArgs& a, int number)
    {
        Item item;
        item.shared = -1;
        item.slice = 0;
        int tile = number;
        if (number >= a.whole)
        {
            item.slice = (number - a.whole) / a.shared;
            item.shared = number - a.whole - item.slice * a.shared;
            tile = a.whole + item.shared;
        }

        int rows = quotient(tile, a.by_tiles_n), m = rows * CLUSTER + rank(), row = quotient(m, a.by_tiles_x), images = quotient(row, a.by_tiles_y);
        item.n = (tile - rows * a.tiles_n) * BN;
        item.x = (m - row * a.tiles_x) << a.box_x;
        item.y = (row - images * a.tiles_y) << a.box_y;
        item.image = images * (BM >> (a.box_x + a.box_y));
        item.ky = 0;
        int taps_y = a.taps_y;
        if (a.in_height)
        {
            int most = a.in_height + a.product.pad_top - item.y;
            item.ky = a.product.pad_top > item.y ? a.product.pad_top - item.y : 0;
            taps_y = (taps_y < most ? taps_y : most) - item.ky;
        }

        item.first = 0;
        item.last = taps_y * a.taps_x * steps_of_tap(a);
        if (item.shared >= 0)
        {
            int steps = item.last;
            item.first = steps * item.slice / a.slices;
            item.last = steps * (item.slice + 1) / a.slices;
        }

        return item;
    }

    DEV bool is_beyond(const HopperProductArgs& a, const Item& item) { return CLUSTER > 1 && item.image >= a.out_images; }

    DEV void produce(const HopperProductArgs& a, u64 argument, const Shared& s)
    {
        Ring ring = {0, 1};
        const ProductArgs& p = a.product;
        int steps0 = steps_of(p.channels0), per_tap = steps_of_tap(a);
        for (int number = first_item(); number < items_of(a); number += items_apart())
        {
            Item item = item_at(a, number);
            int tap = item.first / per_tap, step = item.first - tap * per_tap;
            int ky = tap / a.taps_x, kx = tap - ky * a.taps_x;
            ky += item.ky;
            for (int at = item.first; at < item.last; at++)
            {
                bool in_first = step < steps0;
                int channel = (in_first ? step : step - steps0) * STEP;
                int k = (ky * a.taps_x + kx) * (p.channels0 + p.channels1) + (in_first ? 0 : p.channels0) + channel;
                half* stage = s.stages + ring.stage * STAGE;
                u64* full = s.full + ring.stage;
                barrier_wait(s.empty + ring.stage, ring.parity);
                barrier_expect(full, STAGE_BYTES);
                tensor_load4(stage, map_at(argument, in_first ? MAP_FIRST : MAP_SECOND), full, channel, item.x * p.stride + kx - p.pad_left,
                             item.y * p.stride + ky - p.pad_top, item.image);
                half* right = stage + LEFT + rank() * COPIED * STEP;
                if constexpr (CLUSTER > 1) tensor_load2_all(right, map_at(argument, MAP_WEIGHT), full, k, item.n + rank() * COPIED);
                else tensor_load2(right, map_at(argument, MAP_WEIGHT), full, k, item.n);
                advance(ring);
                if (++step < per_tap) continue;
                step = 0;
                if (++kx < a.taps_x) continue;
                kx = 0;
                ky++;
            }
        }
    }

    DEV void multiply(const half* stage, float (&low)[SUMS], float (&high)[SUMS], bool accumulate)
    {
        u64 a = describe(stage), b = describe(stage + LEFT), below = describe(stage + 64 * STEP);
        UNROLL for (int k = 0; k < STEP / 16; k++)
        {
            warpgroup_multiply(low, a + k * 2, b + k * 2, accumulate || k > 0);
            warpgroup_multiply(high, below + k * 2, b + k * 2, accumulate || k > 0);
        }
    }

    // A slice's sums of a thread, four at a time, beside those of its neighbours.
    DEV float* partial_of(const HopperProductArgs& a, const Item& item, int slice)
    {
        return a.partial + ((i64)(item.shared * CLUSTER + rank()) * a.slices + slice) * (BM * BN) + tid() % 128 * 4;
    }

    // Leaves the sums of a slice for whoever comes last, who adds all of them in their order; false for the others.
    DEV bool join(const HopperProductArgs& a, const Item& item, const Shared& s, int group, float (&low)[SUMS], float (&high)[SUMS])
    {
        float* own = partial_of(a, item, item.slice);
        UNROLL for (int i = 0; i < SUMS; i += 4)
        {
            f32x4 l = {low[i], low[i + 1], low[i + 2], low[i + 3]}, h = {high[i], high[i + 1], high[i + 2], high[i + 3]};
            *(f32x4*)(own + i * 128) = l;
            *(f32x4*)(own + (SUMS + i) * 128) = h;
        }

        fence_device();
        sync_group();
        if (tid() % 128 == 0)
        {
            u32* arrived = a.arrived + item.shared * CLUSTER + rank();
            bool last = atomic_add(arrived, 1) == (u32)a.slices - 1;
            if (last) *arrived = 0;
            s.last[group] = last;
        }

        sync_group();
        bool last = s.last[group] != 0;
        sync_group();
        if (!last) return false;
        fence_device();
        UNROLL for (int i = 0; i < SUMS; i++) low[i] = high[i] = 0;
        for (int slice = 0; slice < a.slices; slice++)
        {
            const float* from = partial_of(a, item, slice);
            UNROLL for (int i = 0; i < SUMS; i += 4)
            {
                f32x4 l = load_fresh(from + i * 128), h = load_fresh(from + (SUMS + i) * 128);
                UNROLL for (int e = 0; e < 4; e++)
                {
                    low[i + e] += l[e];
                    high[i + e] += h[e];
                }
            }
        }

        return true;
    }

    // The warp is done with a stage; so hears every block that copies to it.
    DEV void release(const Shared& s, u32 stage)
    {
        if (tid() % 32 != 0) return;
        barrier_arrive(s.empty + stage);
        if constexpr (CLUSTER > 1) barrier_arrive_in(s.empty + stage, cluster_rank() ^ 1);
    }

    DEV void consume(const HopperProductArgs& a, u64 argument, const Shared& s)
    {
        int group = tid() / 128;
        typename Finish::State finish = {argument, s.tiles + group * Finish::TILE_BYTES, s.asked + group, s.sums, 0};
        for (int round = 0;; round++)
        {
            int number = first_item() + (GROUPS * round + group) * items_apart();
            if (number >= items_of(a)) break;
            Item item = item_at(a, number);
            // A slice may not be the one that stores.
            if (item.shared < 0 && !is_beyond(a, item)) Finish::begin(a, finish, item);
            float low[SUMS], high[SUMS];
            UNROLL for (int i = 0; i < SUMS; i++) low[i] = high[i] = 0;
            u32 before = 0;
            // A barrier tells this phase from the last alone: the other warpgroup must have seen all its stages filled.
            barrier_wait(s.turn + group, (round ^ group ^ 1) & 1);
            Ring ring = *s.next;
            // The leader's warp may be through with its steps, and leave the next place there, before another has begun.
            sync_group();
            for (int step = item.first; step < item.last; step++)
            {
                barrier_wait(s.full + ring.stage, ring.parity);
                hold(low);
                hold(high);
                products_fence();
                multiply(s.stages + ring.stage * STAGE, low, high, step > item.first);
                products_commit();
                // The step before has been multiplied: its stage may be filled again.
                products_wait<1>();
                if (step > item.first) release(s, before);
                before = ring.stage;
                advance(ring);
            }

            if (tid() % 128 == 0) *s.next = ring;
            if (tid() % 32 == 0) barrier_arrive(s.turn + (group ^ 1));
            products_wait<0>();
            hold(low);
            hold(high);
            // Of a slice without steps, where taps are left out, nothing comes behind.
            release(s, before);
            if (is_beyond(a, item)) continue;
            if (item.shared >= 0)
            {
                if (!join(a, item, s, group, low, high)) continue;
                Finish::begin(a, finish, item);
            }

            Finish::end(a, finish, item, low, high);
        }

        Finish::close(finish);
    }

    DEV void run(const HopperProductArgs& a, u64 argument)
    {
        Shared s = shared();
        if (tid() == 0)
        {
            for (int i = 0; i < STAGES; i++)
            {
                barrier_init(s.full + i, 1);
                barrier_init(s.empty + i, 4 * CLUSTER);
            }

            for (int i = 0; i < GROUPS; i++)
            {
                barrier_init(s.turn + i, 4);
                barrier_init(s.asked + i, 1);
            }

            *s.next = {0, 0};
            barrier_publish();
        }

        // The other block may copy and arrive as soon as barriers are made.
        if constexpr (CLUSTER > 1) sync_cluster();
        else sync();
        if (tid() >= GROUPS * 128)
        {
            registers_down<24>();
            if (tid() == GROUPS * 128) produce(a, argument, s);
        }
        else
        {
            registers_up<240>();
            consume(a, argument, s);
        }

        // And as long as it has steps to go.
        if constexpr (CLUSTER > 1) sync_cluster();
    }
};
