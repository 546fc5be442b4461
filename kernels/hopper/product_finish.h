// What becomes of a tile's sums, where wgmma leaves them: in the registers of four warps. Bias, activation, rows and scale are added there.
// Residuals come, and outputs go, as boxes of a tensor through a tile in shared memory: the residual's is asked for before the products begin,
// and the output's leaves while the next tile is multiplied. A thread finds its numbers there at fixed distances from few addresses: rows of
// a box are as wide as its swizzle, and no bank is asked twice. Float32 is read and written directly, whole sectors at a time.
#pragma once
#include "product_moments.h"

template <int BM, int BN> struct ProductFinish
{
    static constexpr int SUMS = BN / 2, PARTS = BM / 64, TILE_BYTES = BM * BN * 2;
    // A thread's rows of the tile lie 8 and 64 apart.
    static constexpr int ROWS = PARTS * 2;
    // The widest tiles leave no registers for it.
    static constexpr bool ACTIVATES = BN <= 160;
    using Moments = ProductMoments<BM, BN>;
    static constexpr int GROUP_SUMS = Moments::GROUP_SUMS;

    // A thread's, of each part of 64 rows.
    using Sums = float[PARTS][SUMS];

    // tile: this warpgroup's; asked: its residual's barrier, whose phase has the parity of the first bit of phases; sums: of all, for the next norm.
    struct State
    {
        u64 argument;
        unsigned char* tile;
        u64* asked;
        f32x2* sums;
        int phases;
    };

    // Columns of a box; the tile is made of boxes of all its positions. A gated tile has half as many columns.
    template <bool GATED> static constexpr int BOX = GATED ? 16 : 32;
    template <bool GATED> static constexpr int BOX_BYTES = BM * BOX<GATED> * 2;

    DEV bool is_leader() { return thread_of_group() == 0; }

    DEV bool is_gated(const HopperProductArgs& a) { return a.product.activation == ACT_GEGLU; }

    DEV bool is_half(const View& view) { return view.data && view.half; }

    // The number's distance from the first of the thread's rows.
    DEV constexpr int row_of_number(int r) { return r % 2 * 8 + r / 2 * 64; }

    // Not to be held in a register from tile to tile, nor what follows from it.
    DEV int first_row()
    {
        int row = tid() % 128 / 32 * 16 + tid() % 32 / 4;
        hold(row);
        return row;
    }

    // Each pair of a thread's sums: f(j, r, first, second) for columns j * 8 + lane % 4 * 2 and the next of row r.
    template <class F> DEV void each(Sums& sums, F f)
    {
        UNROLL for (int j = 0; j < SUMS / 4; j++)
        {
            UNROLL for (int r = 0; r < ROWS; r++)
            {
                float(&pair)[SUMS] = sums[r / 2];
                f(j, r, pair[j * 4 + r % 2 * 2], pair[j * 4 + r % 2 * 2 + 1]);
            }
        }
    }

    template <class F> DEV void each_number(Sums& sums, F f)
    {
        UNROLL for (int h = 0; h < PARTS; h++)
        {
            UNROLL for (int i = 0; i < SUMS; i++) f(sums[h][i]);
        }
    }

    // Where a thread's numbers lie in the tile: a pair of columns, or one where the tile is gated.
    template <bool GATED> struct Places
    {
        static constexpr int ROW = BOX<GATED> * 2, CHUNKS = ROW / 16, PER_BOX = BOX<GATED> / (GATED ? 4 : 8), PER_CHUNK = PER_BOX / CHUNKS;
        unsigned char* chunks[CHUNKS];

        DEV unsigned char* at(const Places& places, int j, int r)
        {
            return places.chunks[j % PER_BOX / PER_CHUNK] + j / PER_BOX * BOX_BYTES<GATED> + row_of_number(r) * ROW + j % PER_CHUNK * 8;
        }
    };

    // The swizzle turns a row's sixteen-byte chunks by the row's number; rows 8 and 64 apart alike.
    template <bool GATED> DEV Places<GATED> places_of(unsigned char* tile)
    {
        Places<GATED> places;
        int row = first_row(), turn = row / (GATED ? 4 : 2) % Places<GATED>::CHUNKS;
        UNROLL for (int c = 0; c < Places<GATED>::CHUNKS; c++)
            places.chunks[c] = tile + row * Places<GATED>::ROW + (c ^ turn) * 16 + tid() % 4 * (GATED ? 2 : 4);
        return places;
    }

    template <bool GATED> DEV int boxes_of(const HopperProductArgs& a, const ProductTileAt& at)
    {
        int columns = a.product.n - at.n < BN ? a.product.n - at.n : BN;
        return ((GATED ? columns / 2 : columns) + BOX<GATED> - 1) / BOX<GATED>;
    }

    // Asks for the tile of a residual; the leader's work, when all have done with what was in the tile before.
    template <bool GATED> DEV void ask(const HopperProductArgs& a, const State& s, const ProductTileAt& at, int map)
    {
        int boxes = boxes_of<GATED>(a, at), column = GATED ? at.n / 2 : at.n;
        barrier_expect(s.asked, boxes * BOX_BYTES<GATED>);
        for (int i = 0; i < boxes; i++)
            tensor_load4(s.tile + i * BOX_BYTES<GATED>, map_at(s.argument, map), s.asked, column + i * BOX<GATED>, at.x, at.y, at.image);
    }

    // Before a tile's products: the tile before has left, and the first residual is asked for.
    DEV void begin(const HopperProductArgs& a, const State& s, const ProductTileAt& at)
    {
        if (!is_leader()) return;
        tensor_stores_read();
        if (!is_half(a.product.residual0)) return;
        if (is_gated(a)) ask<true>(a, s, at, MAP_RESIDUAL0);
        else ask<false>(a, s, at, MAP_RESIDUAL0);
    }

    // Behind the last tile.
    DEV void close()
    {
        if (is_leader()) tensor_stores_read();
    }

    template <int ACTIVATION> DEV void activate_sums(Sums& sums)
    {
        each_number(sums, [](float& sum) { sum = ::activate(ACTIVATION, sum); });
    }

    // A gated pair becomes one number, in the place of the first.
    template <bool GATED> DEV void activate(const HopperProductArgs& a, const ProductTileAt& at, Sums& sums)
    {
        const ProductArgs& p = a.product;
        if (p.bias)
        {
            const float* bias = p.bias + at.n + tid() % 4 * 2;
            UNROLL for (int j = 0; j < SUMS / 4; j++)
            {
                f32x2 b = {0, 0};
                if (at.n + j * 8 < p.n) b = *(const f32x2*)(bias + j * 8);
                UNROLL for (int h = 0; h < PARTS; h++)
                {
                    UNROLL for (int e = 0; e < 4; e++) sums[h][j * 4 + e] += b[e % 2];
                }
            }
        }

        if constexpr (GATED) each(sums, [](int, int, float& value, float& gate) { value *= gelu(gate); });
        else if constexpr (ACTIVATES)
        {
            if (p.activation == ACT_SILU) activate_sums<ACT_SILU>(sums);
            else if (p.activation == ACT_RELU) activate_sums<ACT_RELU>(sums);
        }
    }

    // Adds numbers of float32 to a thread's sums of a row.
    template <bool GATED> DEV void add_floats(const HopperProductArgs& a, const ProductTileAt& at, Sums& sums, int r, const float* from, float scale)
    {
        float(&row)[SUMS] = sums[r / 2];
        UNROLL for (int j = 0; j < SUMS / 4; j++)
        {
            if (at.n + j * 8 >= a.product.n) continue;
            const int to = j * 4 + r % 2 * 2;
            if constexpr (GATED)
            {
                row[to] += scale * from[j * 4];
            }
            else
            {
                f32x2 other = *(const f32x2*)(from + j * 8);
                UNROLL for (int e = 0; e < 2; e++) row[to + e] += scale * other[e];
            }
        }
    }

    template <bool GATED> DEV int first_column(const ProductTileAt& at) { return GATED ? at.n / 2 + tid() % 4 : at.n + tid() % 4 * 2; }

    // What comes in float32: the table's rows, and residuals at the border of a plan. The same code for all three: each by itself would have to
    // fit the cache of instructions beside the rest.
    template <bool GATED> DEV void add_direct(const HopperProductArgs& a, const ProductTileAt& at, Sums& sums)
    {
        const ProductArgs& p = a.product;
        // Copies: a choice between the arguments themselves would be one of addresses, and clang would move them all to local memory.
        const void *rows = p.rows.data, *residual0 = is_half(p.residual0) ? nullptr : p.residual0.data, *residual1 = is_half(p.residual1) ? nullptr : p.residual1.data;
        float scale0 = p.scale, scale1 = p.residual_scale0, scale2 = p.residual_scale1;
        _Pragma("unroll 1") for (int which = 0; which < 3; which++)
        {
            const float* data = (const float*)(which == 0 ? rows : which == 1 ? residual0 : residual1);
            if (!data) continue;
            float scale = which == 0 ? scale0 : which == 1 ? scale1 : scale2;
            int first = first_row();
            UNROLL for (int r = 0; r < ROWS; r++)
            {
                // The assembler would ask for the numbers of all rows at once, and spill others.
                sync_warp();
                i64 m = position_of(a, at, first + row_of_number(r));
                if (m < 0) continue;
                i64 row = which == 0 ? row_of(image_of(p, m), p.images, p.row_count, p.row_by_frame) : m;
                add_floats<GATED>(a, at, sums, r, data + row * p.out_channels + first_column<GATED>(at), scale);
            }
        }
    }

    // Waits for the residual in the tile, and adds it.
    template <bool GATED> DEV void add_tile(State& s, Sums& sums, float scale)
    {
        Places<GATED> places = places_of<GATED>(s.tile);
        barrier_wait(s.asked, s.phases & 1);
        s.phases ^= 1;
        each(sums, [&](int j, int r, float& first, float& second) {
            const unsigned char* from = places.at(places, j, r);
            if constexpr (GATED)
            {
                first += scale * widen(*(const half*)from);
            }
            else
            {
                u32 pair = *(const u32*)from;
                first += scale * widen(half_of(pair, 0));
                second += scale * widen(half_of(pair, 1));
            }
        });
    }

    // Residuals of halves. When it returns, the tile may be written.
    template <bool GATED> DEV void add_tiles(const HopperProductArgs& a, State& s, const ProductTileAt& at, Sums& sums)
    {
        const ProductArgs& p = a.product;
        if (!is_half(p.residual0))
        {
            // The leader says that the tile before has left.
            sync_group();
            return;
        }

        float scale = p.residual_scale0, scale1 = p.residual_scale1;
        int count = is_half(p.residual1) ? 2 : 1;
        _Pragma("unroll 1") for (int which = 0; which < count; which++)
        {
            if (which == 1)
            {
                // What was read is read before the engine writes there.
                tensors_publish();
                sync_group();
                if (is_leader()) ask<GATED>(a, s, at, MAP_RESIDUAL1);
            }

            add_tile<GATED>(s, sums, scale);
            scale = scale1;
        }
    }

    template <bool GATED> DEV void to_tile(const State& s, Sums& sums)
    {
        Places<GATED> places = places_of<GATED>(s.tile);
        each(sums, [&](int j, int r, float& first, float& second) {
            if constexpr (GATED) *(half*)places.at(places, j, r) = narrow(first);
            else *(u32*)places.at(places, j, r) = pack2(first, second);
        });
    }

    template <bool GATED> DEV void to_memory(const HopperProductArgs& a, const ProductTileAt& at, const Sums& sums)
    {
        int first = first_row();
        UNROLL for (int r = 0; r < ROWS; r++)
        {
            i64 m = position_of(a, at, first + row_of_number(r));
            if (m < 0) continue;
            float* to = (float*)a.product.out.data + m * a.product.out_channels + first_column<GATED>(at);
            const float(&row)[SUMS] = sums[r / 2];
            UNROLL for (int j = 0; j < SUMS / 4; j++)
            {
                const int from = j * 4 + r % 2 * 2;
                if (at.n + j * 8 >= a.product.n) continue;
                if constexpr (GATED) to[j * 4] = row[from];
                else *(f32x2*)(to + j * 8) = f32x2{row[from], row[from + 1]};
            }
        }
    }

    template <bool GATED> DEV void end_of(const HopperProductArgs& a, State& s, const ProductTileAt& at, Sums& sums)
    {
        activate<GATED>(a, at, sums);
        if (a.product.scale != 1)
        {
            each_number(sums, [&](float& sum) { sum *= a.product.scale; });
        }

        add_direct<GATED>(a, at, sums);
        add_tiles<GATED>(a, s, at, sums);
        if (!a.product.out.half)
        {
            if (is_half(a.product.residual0))
            {
                // The leader asks for the next tile's residual behind this: all have read this one's.
                tensors_publish();
                sync_group();
            }

            to_memory<GATED>(a, at, sums);
            return;
        }

        to_tile<GATED>(s, sums);
        tensors_publish();
        sync_group();
        if (is_leader())
        {
            int column = GATED ? at.n / 2 : at.n;
            for (int i = 0; i < boxes_of<GATED>(a, at); i++)
                tensor_store4(s.tile + i * BOX_BYTES<GATED>, map_at(s.argument, MAP_OUT), column + i * BOX<GATED>, at.x, at.y, at.image);
            tensor_stores_commit();
        }

        if constexpr (!GATED)
        {
            if (a.next.parts) Moments::run(a, at, s.tile, s.sums);
        }
    }

    DEV void end(const HopperProductArgs& a, State& s, const ProductTileAt& at, Sums& sums)
    {
        if constexpr (ACTIVATES)
        {
            if (is_gated(a)) return end_of<true>(a, s, at, sums);
        }

        end_of<false>(a, s, at, sums);
    }
};
