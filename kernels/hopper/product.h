// Products on Hopper: linear maps, convolutions over pictures (stride 1 or 2, or of a doubled input) and over time, all as boxes of a tensor.
// A tile of 128 outputs is a box of positions (x, y, image); a step reads the same box, moved by the tap, 64 channels at a time,
// and zeros beyond the edges come from the engine that copies tensors. Channels may end anywhere: behind them it reads zeros too,
// so that the weights beside them do not count. Channels of the output come in eights.
#pragma once
#include "../product.h"
#include "ring.h"

struct FP_ALIGNED_ARGUMENT HopperProductArgs
{
    TensorMap first, second, weight;
    ProductArgs product;
    // Sums of tiles that several blocks share, and how many of these have come.
    float* partial;
    u32* arrived;
    // Sides of a box as powers of two.
    int box_x, box_y, tiles_x, tiles_y, tiles_n, out_width, out_height, out_images, taps_y, taps_x;
    // Rows of the input where taps that only read beyond its edges are left out; else 0.
    int in_height;
    // Positions of the output lie out_scale apart, from (out_x, out_y) on.
    int out_scale, out_x, out_y;
    // The first tiles are computed whole; each of the others in so many slices of its steps.
    int whole, shared, slices;
};

// One thread copies, two warpgroups multiply a tile of 128 x BN each, by turns: while one stores its tile, the other multiplies.
template <int BN, int STAGES> struct HopperProduct
{
    static constexpr int BM = 128, STEP = 64, GROUPS = 2, WARPS = GROUPS * 4, HALVES = BM / 64;
    static constexpr int LEFT = BM * STEP, STAGE = (BM + BN) * STEP, STAGE_BYTES = STAGE * 2;
    // Sums of a warp turn through a slab of 16 rows and half of the columns, whose pitch leaves no bank written twice.
    static constexpr int SUMS = BN / 2, PASSES = 2 * HALVES, PASS = BN / 2, PITCH = PASS + 8, SLAB = 16 * PITCH;

    struct Shared
    {
        half* stages;
        float* slabs;
        u64 *full, *empty, *turn;
        u32* last;
    };

    // What a warpgroup computes: a tile, or a slice of one; first to last of the tile's steps.
    struct Item
    {
        int x, y, image, n, ky, first, last, shared, slice;
    };

    using Ring = ::Ring<STAGES>;

    DEV Ring ring_at(u32 step) { return {step % STAGES, step / STAGES & 1}; }

    DEV Shared shared()
    {
        unsigned char* base = first_stage();
        u64* barriers = (u64*)(base + STAGES * STAGE_BYTES + WARPS * SLAB * 4);
        return {(half*)base, (float*)(base + STAGES * STAGE_BYTES), barriers, barriers + STAGES, barriers + 2 * STAGES, (u32*)(barriers + 2 * STAGES + GROUPS)};
    }

    DEV int items_of(const HopperProductArgs& a) { return a.whole + a.shared * a.slices; }

    DEV int steps_of(int channels) { return (channels + STEP - 1) / STEP; }

    DEV int steps_of_tap(const HopperProductArgs& a) { return steps_of(a.product.channels0) + steps_of(a.product.channels1); }

    // Tiles of the same rows run at the same time, so that what they read stays near.
    DEV Item item_at(const HopperProductArgs& a, int number)
    {
        Item item;
        int slices = number < a.whole ? 1 : a.slices;
        item.shared = number < a.whole ? -1 : (number - a.whole) % a.shared;
        item.slice = number < a.whole ? 0 : (number - a.whole) / a.shared;
        int tile = number < a.whole ? number : a.whole + item.shared;
        int m = tile / a.tiles_n, row = m / a.tiles_x, images = row / a.tiles_y;
        item.n = (tile - m * a.tiles_n) * BN;
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

        int steps = taps_y * a.taps_x * steps_of_tap(a);
        item.first = steps * item.slice / slices;
        item.last = steps * (item.slice + 1) / slices;
        return item;
    }

    DEV void produce(const HopperProductArgs& a, u64 argument, const Shared& s)
    {
        Ring ring = {0, 1};
        const ProductArgs& p = a.product;
        int steps0 = steps_of(p.channels0), per_tap = steps_of_tap(a);
        for (int number = bid_x(); number < items_of(a); number += blocks())
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
                tensor_load4(stage, argument + (in_first ? 0 : sizeof(TensorMap)), full, channel, item.x * p.stride + kx - p.pad_left,
                             item.y * p.stride + ky - p.pad_top, item.image);
                tensor_load2(stage + LEFT, argument + 2 * sizeof(TensorMap), full, k, item.n);
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

    DEV i64 position_of(const HopperProductArgs& a, const Item& item, int row)
    {
        int x = (row & ((1 << a.box_x) - 1)) + item.x, rest = row >> a.box_x;
        int y = (rest & ((1 << a.box_y) - 1)) + item.y, image = item.image + (rest >> a.box_y);
        if (x >= a.out_width || y >= a.out_height || image >= a.out_images) return -1;
        return ((i64)image * a.out_height * a.out_scale + y * a.out_scale + a.out_y) * (a.out_width * a.out_scale) + x * a.out_scale + a.out_x;
    }

    // What an item of eight outputs needs besides its sums, asked for while the item before is finished: residuals as halves, and biases.
    struct Ahead
    {
        u32x4 residual0, residual1;
        float bias[8];
    };

    // An item: eight outputs of a row, and where they lie. Rows of the tile are counted from its first.
    struct Place
    {
        i64 m, at;
        int n;
        bool inside;
    };

    // Items of a lane in a pass over sixteen rows.
    template <bool GATED> static constexpr int TURNS = (16 * PASS / (GATED ? 16 : 8) + 31) / 32;

    template <bool GATED> DEV Place place_of(const HopperProductArgs& a, const Item& item, int turn)
    {
        constexpr int WIDTH = GATED ? 16 : 8, PER_ROW = PASS / WIDTH;
        int pass = turn / TURNS<GATED>, number = turn % TURNS<GATED> * 32 + tid() % 32, row = number / PER_ROW;
        Place place;
        place.n = item.n + pass % 2 * PASS + (number - row * PER_ROW) * WIDTH;
        place.m = row < 16 ? position_of(a, item, pass / 2 * 64 + tid() / 32 % 4 * 16 + row) : -1;
        place.inside = place.m >= 0 && place.n < a.product.n;
        place.at = place.m * a.product.out_channels + (GATED ? place.n / 2 : place.n);
        return place;
    }

    template <bool GATED> DEV void ask(const ProductArgs& p, const Place& place, Ahead& ahead)
    {
        if (!place.inside) return;
        if (p.residual0.data && p.residual0.half) ahead.residual0 = *(const u32x4*)((const half*)p.residual0.data + place.at);
        if (p.residual1.data && p.residual1.half) ahead.residual1 = *(const u32x4*)((const half*)p.residual1.data + place.at);
        if (!GATED && p.bias) load<8>(View{p.bias, 0, 0}, place.n, ahead.bias);
    }

    DEV void add(const View& view, i64 at, const u32x4& raw, float scale, float (&r)[8])
    {
        if (!view.data) return;
        float other[8];
        if (view.half) widen(raw, other);
        else load<8>(view, at, other);
        UNROLL for (int i = 0; i < 8; i++) r[i] += scale * other[i];
    }

    // Eight floats of a slab. Every second four lanes take the second half first, so that a quarter of a warp asks each bank once.
    DEV void read8(const float* from, float* r)
    {
        bool odd = tid() / 4 % 2 != 0;
        f32x4 first = *(const f32x4*)(from + (odd ? 4 : 0)), second = *(const f32x4*)(from + (odd ? 0 : 4));
        UNROLL for (int i = 0; i < 4; i++)
        {
            r[i] = odd ? second[i] : first[i];
            r[i + 4] = odd ? first[i] : second[i];
        }
    }

    template <int FIRST> DEV void to_slab(float* slab, const float (&sums)[SUMS])
    {
        int lane = tid() % 32;
        UNROLL for (int j = 0; j < PASS / 8; j++)
        {
            const int from = FIRST / 2 + j * 4;
            float* at = slab + lane / 4 * PITCH + j * 8 + lane % 4 * 2;
            f32x2 top = {sums[from], sums[from + 1]}, bottom = {sums[from + 2], sums[from + 3]};
            *(f32x2*)at = top;
            *(f32x2*)(at + 8 * PITCH) = bottom;
        }
    }

    // Half of the columns of sixteen rows turn through a warp's slab at a time, so that memory sees whole runs of a row. What follows is
    // one small loop: unrolled over the sums it would be larger than the cache of instructions.
    template <bool GATED> DEV void store_tile(const HopperProductArgs& a, const Item& item, float* slab, const float (&low)[SUMS], const float (&high)[SUMS])
    {
        constexpr int WIDTH = GATED ? 16 : 8, PER_ROW = PASS / WIDTH;
        const ProductArgs& p = a.product;
        Ahead ahead = {};
        Place place = place_of<GATED>(a, item, 0);
        ask<GATED>(p, place, ahead);
        _Pragma("unroll 1") for (int turn = 0; turn < PASSES * TURNS<GATED>; turn++)
        {
            int pass = turn / TURNS<GATED>, part = turn % TURNS<GATED>;
            if (part == 0)
            {
                sync_warp();
                if (pass == 0) to_slab<0>(slab, low);
                else if (pass == 1) to_slab<PASS>(slab, low);
                else if (pass == 2) to_slab<0>(slab, high);
                else to_slab<PASS>(slab, high);
                sync_warp();
            }

            Place here = place;
            Ahead now = ahead;
            if (turn + 1 < PASSES * TURNS<GATED>)
            {
                place = place_of<GATED>(a, item, turn + 1);
                ask<GATED>(p, place, ahead);
            }

            if (!here.inside) continue;
            int number = part * 32 + tid() % 32, row = number / PER_ROW;
            const float* from = slab + row * PITCH + (number - row * PER_ROW) * WIDTH;
            float r[8], other[8];
            if constexpr (GATED)
            {
                float v[16], bias[16];
                read8(from, v);
                read8(from + 8, v + 8);
                UNROLL for (int i = 0; i < 16; i++) bias[i] = 0;
                if (p.bias)
                {
                    load<8>(View{p.bias, 0, 0}, here.n, *(float(*)[8])bias);
                    load<8>(View{p.bias, 0, 0}, here.n + 8, *(float(*)[8])(bias + 8));
                }

                UNROLL for (int i = 0; i < 8; i++) r[i] = (v[2 * i] + bias[2 * i]) * gelu(v[2 * i + 1] + bias[2 * i + 1]);
            }
            else
            {
                read8(from, r);
                UNROLL for (int i = 0; i < 8; i++) r[i] += now.bias[i];
                activate_all(p.activation, r);
            }

            if (p.rows.data)
            {
                load<8>(p.rows, (i64)row_of((int)here.m / p.tokens, p.images, p.row_count, p.row_by_frame) * p.out_channels + (GATED ? here.n / 2 : here.n), other);
                UNROLL for (int i = 0; i < 8; i++) r[i] += other[i];
            }

            UNROLL for (int i = 0; i < 8; i++) r[i] *= p.scale;
            add(p.residual0, here.at, now.residual0, p.residual_scale0, r);
            add(p.residual1, here.at, now.residual1, p.residual_scale1, r);
            store<8>(p.out, here.at, r);
        }

        sync_warp();
    }

    // A slice's sums of a thread, four at a time, beside those of its neighbours.
    DEV float* partial_of(const HopperProductArgs& a, const Item& item, int slice)
    {
        return a.partial + ((i64)item.shared * a.slices + slice) * (BM * BN) + tid() % 128 * 4;
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
        sync_group(group);
        if (tid() % 128 == 0)
        {
            bool last = atomic_add(a.arrived + item.shared, 1) == (u32)a.slices - 1;
            if (last) a.arrived[item.shared] = 0;
            s.last[group] = last;
        }

        sync_group(group);
        bool last = s.last[group] != 0;
        sync_group(group);
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

    DEV void consume(const HopperProductArgs& a, const Shared& s)
    {
        int warp = tid() / 32, group = warp / 4;
        u32 begun = 0;
        int turn = 0, parity = group ^ 1;
        for (int number = bid_x(); number < items_of(a); number += blocks(), turn ^= 1)
        {
            Item item = item_at(a, number);
            u32 first = begun;
            begun += item.last - item.first;
            if (turn != group) continue;
            float low[SUMS], high[SUMS];
            UNROLL for (int i = 0; i < SUMS; i++) low[i] = high[i] = 0;
            Ring ring = ring_at(first);
            u32 before = 0;
            // A barrier tells this phase from the last alone: the other warpgroup must have seen all its stages filled.
            barrier_wait(s.turn + group, parity);
            parity ^= 1;
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
                if (step > item.first && tid() % 32 == 0) barrier_arrive(s.empty + before);
                before = ring.stage;
                advance(ring);
            }

            if (tid() % 32 == 0) barrier_arrive(s.turn + (group ^ 1));
            products_wait<0>();
            hold(low);
            hold(high);
            if (tid() % 32 == 0) barrier_arrive(s.empty + before);
            if (item.shared >= 0 && a.slices > 1 && !join(a, item, s, group, low, high)) continue;
            float* slab = s.slabs + warp * SLAB;
            if (a.product.activation == ACT_GEGLU) store_tile<true>(a, item, slab, low, high);
            else store_tile<false>(a, item, slab, low, high);
        }
    }

    DEV void run(const HopperProductArgs& a, u64 argument)
    {
        Shared s = shared();
        if (tid() == 0)
        {
            for (int i = 0; i < STAGES; i++)
            {
                barrier_init(s.full + i, 1);
                barrier_init(s.empty + i, 4);
            }

            for (int i = 0; i < GROUPS; i++) barrier_init(s.turn + i, 4);

            barrier_publish();
        }

        sync();
        if (tid() >= GROUPS * 128)
        {
            registers_down<24>();
            if (tid() == GROUPS * 128) produce(a, argument, s);
        }
        else
        {
            registers_up<240>();
            consume(a, s);
        }
    }
};
