// Products on Hopper: linear maps, convolutions over pictures (stride 1 or 2) and over time, all as boxes of a tensor.
// A tile of 128 outputs is a box of positions (x, y, image); a step reads the same box, moved by the tap, 64 channels at a time,
// and zeros beyond the edges come from the engine that copies tensors. Channels may end anywhere: behind them it reads zeros too,
// so that the weights beside them do not count.
#pragma once
#include "../product.h"
#ifdef FP_HOST
#include "../emulator/hopper.h"
#else
#include "device.h"
#endif

// As cuTensorMapEncodeTiled writes it.
struct TensorMap
{
    u64 words[16];
};

struct FP_ALIGNED_ARGUMENT HopperProductArgs
{
    TensorMap first, second, weight;
    ProductArgs product;
    int box_x, box_y, tiles_x, tiles_y, tiles_m, tiles_n, out_width, out_height, out_images, taps;
};

// One warp copies, two warpgroups multiply 64 x BN each; STAGES steps of 64 channels are under way.
template <int BN> struct HopperProduct
{
    static constexpr int BM = 128, STEP = 64, STAGES = 4, CONSUMERS = 2, WARPS = CONSUMERS * 4;
    static constexpr int LEFT = BM * STEP, STAGE = (BM + BN) * STEP, STAGE_BYTES = STAGE * 2;
    static constexpr int SLAB_COLUMNS = 32, SLAB_PITCH = SLAB_COLUMNS + 4, SLAB = 16 * SLAB_PITCH;

    struct Shared
    {
        f16* stages;
        float* slabs;
        u64 *full, *empty;
    };

    // Where a block's tile begins.
    struct Tile
    {
        int x, y, image, n;
    };

    // The stage of a step, and how often the ring has gone round.
    struct Ring
    {
        int stage, parity;
    };

    DEV void advance(Ring& ring)
    {
        if (++ring.stage < STAGES) return;
        ring.stage = 0;
        ring.parity ^= 1;
    }

    // Swizzled rows want a multiple of 1024, more than dynamic shared memory promises.
    DEV Shared shared()
    {
        unsigned char* base = smem() + (1024 - shared_address(smem()) % 1024) % 1024;
        u64* barriers = (u64*)(base + STAGES * STAGE_BYTES + WARPS * SLAB * 4);
        return {(f16*)base, (float*)(base + STAGES * STAGE_BYTES), barriers, barriers + STAGES};
    }

    // Tiles of the same rows run at the same time, so that what they read stays near.
    DEV Tile tile_at(const HopperProductArgs& a, int tile)
    {
        int m = tile / a.tiles_n, row = m / a.tiles_x;
        int box_images = BM / (a.box_x * a.box_y);
        return {(m - row * a.tiles_x) * a.box_x, row % a.tiles_y * a.box_y, row / a.tiles_y * box_images, (tile - m * a.tiles_n) * BN};
    }

    DEV int steps_of(int channels) { return (channels + STEP - 1) / STEP; }

    DEV void produce(const HopperProductArgs& a, u64 argument, const Shared& s)
    {
        Ring ring = {0, 1};
        const ProductArgs& p = a.product;
        int steps0 = steps_of(p.channels0), steps = steps0 + steps_of(p.channels1);
        for (int number = bid_x(); number < a.tiles_m * a.tiles_n; number += blocks())
        {
            Tile tile = tile_at(a, number);
            for (int tap = 0; tap < a.taps; tap++)
            {
                int ky = tap / p.kernel_width, kx = tap - ky * p.kernel_width;
                for (int step = 0; step < steps; step++)
                {
                    bool in_first = step < steps0;
                    int channel = (in_first ? step : step - steps0) * STEP;
                    int k = tap * (p.channels0 + p.channels1) + (in_first ? 0 : p.channels0) + channel;
                    f16* stage = s.stages + ring.stage * STAGE;
                    u64* full = s.full + ring.stage;
                    barrier_wait(s.empty + ring.stage, ring.parity);
                    barrier_expect(full, STAGE_BYTES);
                    tensor_load4(stage, argument + (in_first ? 0 : sizeof(TensorMap)), full, channel, tile.x * p.stride + kx - p.pad_left,
                                 tile.y * p.stride + ky - p.pad_top, tile.image);
                    tensor_load2(stage + LEFT, argument + 2 * sizeof(TensorMap), full, k, tile.n);
                    advance(ring);
                }
            }
        }
    }

    // Rows of 128 bytes, swizzled, in groups of eight that lie 1024 bytes apart.
    DEV u64 describe(const f16* matrix)
    {
        return (u64)((shared_address(matrix) & 0x3FFFF) >> 4) | 1ull << 16 | (u64)(1024 >> 4) << 32 | 1ull << 62;
    }

    DEV void multiply(const f16* left, const f16* right, float (&sums)[BN / 2], bool accumulate)
    {
        u64 a = describe(left), b = describe(right);
        UNROLL for (int k = 0; k < STEP / 16; k++) warpgroup_multiply(sums, a + k * 2, b + k * 2, accumulate || k > 0);
    }

    DEV i64 position_of(const HopperProductArgs& a, const Tile& tile, int row)
    {
        int x = row % a.box_x, rest = row / a.box_x;
        int y = tile.y + rest % a.box_y, image = tile.image + rest / a.box_y;
        x += tile.x;
        return x < a.out_width && y < a.out_height && image < a.out_images ? ((i64)image * a.out_height + y) * a.out_width + x : -1;
    }

    template <int V, bool GATED> DEV void store_slab(const HopperProductArgs& a, const Tile& tile, const float* slab, int row0, int n0)
    {
        constexpr int WIDTH = GATED ? 2 * V : V, PER_ROW = SLAB_COLUMNS / WIDTH;
        for (int item = tid() % 32; item < 16 * PER_ROW; item += 32)
        {
            int row = item / PER_ROW, column = item % PER_ROW * WIDTH;
            i64 m = position_of(a, tile, row0 + row);
            if (m >= 0 && n0 + column < a.product.n)
            {
                float v[WIDTH];
                UNROLL for (int i = 0; i < WIDTH; i++) v[i] = slab[row * SLAB_PITCH + column + i];
                finish<V, GATED>(a.product, m, n0 + column, v);
            }
        }
    }

    // Each warp turns its sixteen rows in a slab of its own, 32 columns at a time, so that memory sees whole runs of a row.
    DEV void store_tile(const HopperProductArgs& a, const Tile& tile, float* slab, int row0, const float (&sums)[BN / 2])
    {
        int lane = tid() % 32;
        bool wide = a.product.out_channels % 8 == 0;
        UNROLL for (int part = 0; part < BN / SLAB_COLUMNS; part++)
        {
            UNROLL for (int j = 0; j < SLAB_COLUMNS / 8; j++)
            {
                const int from = (part * (SLAB_COLUMNS / 8) + j) * 4;
                float* at = slab + lane / 4 * SLAB_PITCH + j * 8 + lane % 4 * 2;
                at[0] = sums[from];
                at[1] = sums[from + 1];
                at[8 * SLAB_PITCH] = sums[from + 2];
                at[8 * SLAB_PITCH + 1] = sums[from + 3];
            }

            sync_warp();
            int n0 = tile.n + part * SLAB_COLUMNS;
            if (a.product.activation == ACT_GEGLU)
            {
                if (wide) store_slab<8, true>(a, tile, slab, row0, n0);
                else store_slab<1, true>(a, tile, slab, row0, n0);
            }
            else if (wide) store_slab<8, false>(a, tile, slab, row0, n0);
            else store_slab<1, false>(a, tile, slab, row0, n0);
            sync_warp();
        }
    }

    DEV void consume(const HopperProductArgs& a, const Shared& s)
    {
        int warp = tid() / 32, group = warp / 4;
        Ring ring = {0, 0};
        int steps = a.taps * (steps_of(a.product.channels0) + steps_of(a.product.channels1));
        for (int number = bid_x(); number < a.tiles_m * a.tiles_n; number += blocks())
        {
            float sums[BN / 2];
            UNROLL for (int i = 0; i < BN / 2; i++) sums[i] = 0;
            int before = 0;
            for (int step = 0; step < steps; step++)
            {
                f16* stage = s.stages + ring.stage * STAGE;
                barrier_wait(s.full + ring.stage, ring.parity);
                hold(sums);
                products_fence();
                multiply(stage + group * 64 * STEP, stage + LEFT, sums, step > 0);
                products_commit();
                // The step before has been multiplied: its stage may be filled again.
                products_wait<1>();
                if (step > 0 && tid() % 32 == 0) barrier_arrive(s.empty + before);
                before = ring.stage;
                advance(ring);
            }

            products_wait<0>();
            hold(sums);
            if (tid() % 32 == 0) barrier_arrive(s.empty + before);
            store_tile(a, tile_at(a, number), s.slabs + warp * SLAB, warp * 16, sums);
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
                barrier_init(s.empty + i, WARPS);
            }

            barrier_publish();
        }

        sync();
        if (tid() >= CONSUMERS * 128)
        {
            registers_down<40>();
            if (tid() == CONSUMERS * 128) produce(a, argument, s);
        }
        else
        {
            registers_up<232>();
            consume(a, s);
        }
    }
};
