// Products on Hopper: linear maps, convolutions over pictures (stride 1 or 2, or of a doubled input) and over time, all as boxes of a tensor.
// A tile of 128 outputs is a box of positions (x, y, image); a step reads the same box, moved by the tap, 64 channels at a time,
// and zeros beyond the edges come from the engine that copies tensors. Channels may end anywhere: behind them it reads zeros too,
// so that the weights beside them do not count. Channels of the output come in eights.
#pragma once
#include "joint.h"
#include "product_finish.h"

// One thread copies, GROUPS warpgroups multiply a tile of BM x BN each. Two take turns: while one stores its tile, the other multiplies.
// One alone has the room of both, for wider tiles, where every block has a single one.
template <int BM, int BN, int STAGES, int GROUPS> struct HopperProduct
{
    using Finish = ProductFinish<BM, BN>;
    using Sums = typename Finish::Sums;
    static constexpr int SUMS = Finish::SUMS, PARTS = Finish::PARTS, STEP = 64;
    static constexpr int LEFT = BM * STEP, STAGE = (BM + BN) * STEP, STAGE_BYTES = STAGE * 2;

    // Whether blocks share their last tiles.
    static constexpr bool SHARES = GROUPS > 1;

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
        int ky, first, last;
    };

    // Of a tile that several blocks share, which it is and which part of its steps.
    struct Slice
    {
        int tile, number;
    };

    // Found anew wherever it is called: few of these places are wanted at once, and registers are.
    DEV Shared shared()
    {
        int nothing = 0;
        hold(nothing);
        unsigned char* base = first_stage() + nothing;
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

    DEV bool is_shared(const HopperProductArgs& a, int number) { return SHARES && number >= a.whole; }

    DEV Slice slice_at(const HopperProductArgs& a, int number)
    {
        int slice = (number - a.whole) / a.shared;
        return {number - a.whole - slice * a.shared, slice};
    }

    // Tiles of the same rows run at the same time, so that what they read stays near.
    DEV Item item_at(const HopperProductArgs& a, int number)
    {
        Item item;
        Slice slice = {0, 0};
        int tile = number;
        if (is_shared(a, number))
        {
            slice = slice_at(a, number);
            tile = a.whole + slice.tile;
        }

        int rows = quotient(tile, a.by_tiles_n), row = quotient(rows, a.by_tiles_x), images = quotient(row, a.by_tiles_y);
        item.n = (tile - rows * a.tiles_n) * BN;
        item.x = (rows - row * a.tiles_x) << a.box_x;
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
        if (is_shared(a, number))
        {
            int steps = item.last;
            item.first = steps * slice.number / a.slices;
            item.last = steps * (slice.number + 1) / a.slices;
        }

        return item;
    }

    DEV void produce(const HopperProductArgs& a, u64 argument, const Shared& s)
    {
        Ring ring = {0, 1};
        const ProductArgs& p = a.product;
        int steps0 = steps_of(p.channels0), per_tap = steps_of_tap(a);
        for (int number = block(); number < items_of(a); number += blocks())
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
                tensor_load2(stage + LEFT, map_at(argument, MAP_WEIGHT), full, k, item.n);
                advance(ring);
                if (++step < per_tap) continue;
                step = 0;
                if (++kx < a.taps_x) continue;
                kx = 0;
                ky++;
            }
        }
    }

    DEV void multiply(const half* stage, Sums& sums, bool accumulate)
    {
        u32 right = describe(stage + LEFT);
        UNROLL for (int k = 0; k < STEP / 16; k++)
        {
            UNROLL for (int h = 0; h < PARTS; h++) warpgroup_multiply(sums[h], describe(stage + h * 64 * STEP) + k * 2, right + k * 2, accumulate || k > 0);
        }
    }

    // A slice's sums of a thread, four at a time, beside those of its neighbours.
    DEV float* partial_of(const HopperProductArgs& a, int tile, int slice)
    {
        return a.partial + ((i64)tile * a.slices + slice) * (BM * BN) + thread_of_group() * 4;
    }

    DEV void add_slice(const HopperProductArgs& a, int tile, int slice, Sums& sums)
    {
        const float* from = partial_of(a, tile, slice);
        UNROLL for (int i = 0; i < SUMS; i += 4)
        {
            UNROLL for (int h = 0; h < PARTS; h++)
            {
                f32x4 other = load_fresh(from + (h * SUMS + i) * 128);
                UNROLL for (int e = 0; e < 4; e++) sums[h][i + e] += other[e];
            }
        }
    }

    DEV bool are_two(const HopperProductArgs& a) { return a.slices == 2; }

    // Leaves the sums of a slice for whoever comes last, who adds all of them in their order; false for the others. Two may be added in
    // either order: the second to come leaves nothing, if it finds the first's.
    DEV bool join(const HopperProductArgs& a, int number, int group, Sums& sums)
    {
        hold(number);
        Shared s = shared();
        Slice slice = slice_at(a, number);
        u32* arrived = a.arrived + slice.tile;
        if (!are_two(a) || !ask_first(s.last + group, [=] { return load_fresh(arrived) != 0; }))
        {
            float* own = partial_of(a, slice.tile, slice.number);
            UNROLL for (int i = 0; i < SUMS; i += 4)
            {
                UNROLL for (int h = 0; h < PARTS; h++)
                    *(f32x4*)(own + (h * SUMS + i) * 128) = f32x4{sums[h][i], sums[h][i + 1], sums[h][i + 2], sums[h][i + 3]};
            }

            if (!comes_last(arrived, s.last + group, a.slices)) return false;
        }

        set_back(arrived);
        if (are_two(a))
        {
            add_slice(a, slice.tile, 1 - slice.number, sums);
            return true;
        }

        clear(sums);
        for (int i = 0; i < a.slices; i++) add_slice(a, slice.tile, i, sums);
        return true;
    }

    DEV void clear(Sums& sums)
    {
        UNROLL for (int h = 0; h < PARTS; h++)
        {
            UNROLL for (int i = 0; i < SUMS; i++) sums[h][i] = 0;
        }
    }

    // The warp is done with a stage.
    DEV void release(const Shared& s, u32 stage)
    {
        if (tid() % 32 == 0) barrier_arrive(s.empty + stage);
    }

    // The products of a tile, or of a slice of one.
    DEV void multiply_all(const Shared& s, const Item& item, int group, int turn, Sums& sums)
    {
        u32 before = 0;
        // A barrier tells this phase from the last alone: the other warpgroup must have seen all its stages filled.
        if constexpr (GROUPS > 1) barrier_wait(s.turn + group, turn);
        Ring ring = *s.next;
        // The leader's warp may be through with its steps, and leave the next place there, before another has begun.
        sync_group();
        for (int step = item.first; step < item.last; step++)
        {
            barrier_wait(s.full + ring.stage, ring.parity);
            hold(sums);
            products_fence();
            multiply(s.stages + ring.stage * STAGE, sums, step > item.first);
            products_commit();
            // The step before has been multiplied: its stage may be filled again.
            products_wait<1>();
            if (step > item.first) release(s, before);
            before = ring.stage;
            advance(ring);
        }

        if (thread_of_group() == 0) *s.next = ring;
        if constexpr (GROUPS > 1)
        {
            if (tid() % 32 == 0) barrier_arrive(s.turn + (group ^ 1));
        }

        products_wait<0>();
        hold(sums);
        // Of a slice without steps, where taps are left out, nothing comes behind.
        release(s, before);
    }

    // No position, and no column.
    DEV Item beyond(const HopperProductArgs& a)
    {
        Item item;
        item.x = a.out_width;
        item.y = 0;
        item.image = a.out_images;
        item.n = a.product.n;
        return item;
    }

    DEV typename Finish::State finish_of(const Shared& s, int group, u64 argument, int phases)
    {
        return {argument, s.tiles + group * Finish::TILE_BYTES, s.asked + group, s.sums, phases};
    }

    template <class Argument> DEV void consume(const HopperProductArgs& a, Argument argument)
    {
        int group = tid() / 128;
        // Of the residual's barrier in the first bit, of the turns' in the second: one register.
        int phases = (group ^ 1) << 1;
        // What a tile's end does is hundreds of instructions, each to be fetched for the first time. The warpgroup that has to wait for its turn stores
        // a tile of nothing meanwhile: the other finds them in the cache.
        for (int number = block() + (group == 0 ? 0 : -blocks()); number < items_of(a); number += GROUPS * blocks())
        {
            bool rehearsed = GROUPS > 1 && number < 0;
            Sums sums;
            clear(sums);
            if (!rehearsed)
            {
                await_launches();
                Shared s = shared();
                Item item = item_at(a, number);
                // A slice may not be the one that stores.
                if (!is_shared(a, number)) Finish::begin(a, finish_of(s, group, argument(), phases), item);
                multiply_all(s, item, group, phases >> 1, sums);
                phases ^= 2;
                if constexpr (SHARES)
                {
                    if (is_shared(a, number) && !join(a, number, group, sums)) continue;
                }
            }

            hold(number);
            Item item = rehearsed ? beyond(a) : item_at(a, number);
            typename Finish::State finish = finish_of(shared(), group, argument(), phases);
            if (rehearsed || is_shared(a, number)) Finish::begin(a, finish, item);
            Finish::end(a, finish, item, sums);
            phases = finish.phases;
            if constexpr (GROUPS == 1) break;
        }

        Finish::close();
    }

    // argument: where the kernel's argument lies.
    template <class Argument> DEV void run(const HopperProductArgs& a, Argument argument)
    {
        Shared s = shared();
        if (tid() == 0)
        {
            for (int i = 0; i < STAGES; i++)
            {
                barrier_init(s.full + i, 1);
                barrier_init(s.empty + i, 4);
            }

            for (int i = 0; i < GROUPS; i++)
            {
                barrier_init(s.turn + i, 4);
                barrier_init(s.asked + i, 1);
            }

            *s.next = {0, 0};
            barrier_publish();
        }

        sync();
        let_next_begin();
        if (tid() >= GROUPS * 128)
        {
            if constexpr (GROUPS > 1) registers_down<24>();
            await_launches();
            if (tid() == GROUPS * 128) produce(a, argument(), s);
        }
        else
        {
            if constexpr (GROUPS > 1) registers_up<240>();
            consume(a, argument);
            // A block without a tile for this warpgroup.
            await_launches();
        }
    }
};
