// The tensor-core body of products: warps of (16 MI) x (8 NI) outputs, k in steps of 32 through three stages of shared memory.
// ANY reads operands of any type and width element by element; the other body wants halves whose channels come in eights.
#pragma once
#include "product.h"

template <int GATHER, bool ANY, int WARPS_M, int WARPS_N, int MI, int NI> struct ProductTile
{
    static constexpr int STEP = 32, STAGES = 3, PITCH = STEP + 8;
    static constexpr int BM = WARPS_M * MI * 16, BN = WARPS_N * NI * 8, THREADS = WARPS_M * WARPS_N * 32;
    static constexpr int STAGE = (BM + BN) * PITCH;
    static constexpr int ROWS = BM * 4 / THREADS;
    static constexpr int SLAB_PITCH = NI * 8 + 4;

    // The tap and channel that a thread's next chunk of eight begins at.
    struct Cursor
    {
        int channel, ky, kx;
    };

    DEV void advance(const ProductArgs& a, Cursor& at, int by)
    {
        int channels = a.channels0 + a.channels1;
        at.channel += by;
        while (at.channel >= channels)
        {
            at.channel -= channels;
            at.kx++;
            if (GATHER == CONV && at.kx == a.kernel_width)
            {
                at.kx = 0;
                at.ky++;
            }
        }
    }

    DEV void load_stage(const ProductArgs& a, half* stage, const Row (&rows)[ROWS], Cursor& cursor, int k0)
    {
        int chunk = tid() % 4, first = tid() / 4;
        int k = k0 + chunk * 8;
        UNROLL for (int i = 0; i < ROWS; i++)
        {
            half* to = stage + (first + i * (THREADS / 4)) * PITCH + chunk * 8;
            if constexpr (ANY)
            {
                UNROLL for (int j = 0; j < 8; j += 2)
                    *(u32*)(to + j) = pack2(gather1<GATHER>(a, rows[i], k + j), gather1<GATHER>(a, rows[i], k + j + 1));
            }
            else
            {
                i64 position = k < a.k ? position_of<GATHER>(a, rows[i], cursor.ky, cursor.kx) : -1;
                bool in_first = cursor.channel < a.channels0;
                const half* from = in_first
                    ? (const half*)a.first.data + position * a.channels0 + cursor.channel
                    : (const half*)a.second.data + position * a.channels1 + cursor.channel - a.channels0;
                cp_async16(to, position < 0 ? (const half*)a.first.data : from, position >= 0);
            }
        }

        if constexpr (!ANY) advance(a, cursor, STEP);
        UNROLL for (int i = 0; i < BN * 4 / THREADS; i++)
        {
            int row = first + i * (THREADS / 4);
            cp_async16(stage + (BM + row) * PITCH + chunk * 8, a.weight + ((i64)bid_y() * BN + row) * a.k_padded + k, true);
        }
    }

    DEV void multiply(const half* stage, float (&acc)[MI][NI][4])
    {
        int lane = tid() % 32, warp = tid() / 32;
        const half* rows = stage + (warp % WARPS_M) * MI * 16 * PITCH;
        const half* columns = stage + (BM + (warp / WARPS_M) * NI * 8) * PITCH;
        UNROLL for (int k = 0; k < STEP; k += 16)
        {
            u32 left[MI][4], right[NI / 2][4];
            UNROLL for (int i = 0; i < MI; i++) ldsm4(left[i], rows + (i * 16 + lane % 16) * PITCH + k + lane / 16 * 8);
            UNROLL for (int j = 0; j < NI / 2; j++)
                ldsm4(right[j], columns + (j * 16 + lane / 16 * 8 + lane % 8) * PITCH + k + lane / 8 % 2 * 8);
            UNROLL for (int i = 0; i < MI; i++)
            {
                UNROLL for (int j = 0; j < NI; j++) mma16816(acc[i][j], left[i], right[j / 2][j % 2 * 2], right[j / 2][j % 2 * 2 + 1]);
            }
        }
    }

    template <int V, bool GATED> DEV void store_slab(const ProductArgs& a, const float* slab, i64 m0, int n0)
    {
        constexpr int WIDTH = GATED ? 2 * V : V, PER_ROW = NI * 8 / WIDTH;
        for (int item = tid() % 32; item < 16 * PER_ROW; item += 32)
        {
            int row = item / PER_ROW, column = item % PER_ROW * WIDTH;
            if (m0 + row < a.m && n0 + column < a.n)
            {
                float v[WIDTH];
                UNROLL for (int i = 0; i < WIDTH; i++) v[i] = slab[row * SLAB_PITCH + column + i];
                finish<V, GATED>(a, m0 + row, n0 + column, v);
            }
        }
    }

    DEV void run(const ProductArgs& a)
    {
        half* stages = (half*)smem();
        int lane = tid() % 32, warp = tid() / 32;
        Row rows[ROWS];
        UNROLL for (int i = 0; i < ROWS; i++) rows[i] = row_at<GATHER>(a, (i64)bid_x() * BM + tid() / 4 + i * (THREADS / 4));
        Cursor cursor = {0, 0, 0};
        if constexpr (!ANY) advance(a, cursor, tid() % 4 * 8);
        float acc[MI][NI][4];
        UNROLL for (int i = 0; i < MI; i++)
        {
            UNROLL for (int j = 0; j < NI; j++)
            {
                UNROLL for (int e = 0; e < 4; e++) acc[i][j][e] = 0;
            }
        }

        int steps = a.k_padded / STEP;
        UNROLL for (int s = 0; s < STAGES - 1; s++)
        {
            if (s < steps) load_stage(a, stages + s * STAGE, rows, cursor, s * STEP);
            cp_commit();
        }

        int reading = 0, writing = STAGES - 1;
        for (int step = 0; step < steps; step++)
        {
            cp_wait<STAGES - 2>();
            sync();
            int next = step + STAGES - 1;
            if (next < steps) load_stage(a, stages + writing * STAGE, rows, cursor, next * STEP);
            cp_commit();
            multiply(stages + reading * STAGE, acc);
            reading = reading + 1 == STAGES ? 0 : reading + 1;
            writing = writing + 1 == STAGES ? 0 : writing + 1;
        }

        cp_wait<0>();
        sync();
        // Each warp turns sixteen rows at a time in a slab of its own, so that memory sees whole runs of a row.
        float* slab = (float*)smem() + warp * 16 * SLAB_PITCH;
        UNROLL for (int i = 0; i < MI; i++)
        {
            UNROLL for (int j = 0; j < NI; j++)
            {
                float* at = slab + lane / 4 * SLAB_PITCH + j * 8 + lane % 4 * 2;
                at[0] = acc[i][j][0];
                at[1] = acc[i][j][1];
                at[8 * SLAB_PITCH] = acc[i][j][2];
                at[8 * SLAB_PITCH + 1] = acc[i][j][3];
            }

            sync_warp();
            i64 m0 = (i64)bid_x() * BM + (warp % WARPS_M) * MI * 16 + i * 16;
            int n0 = bid_y() * BN + (warp / WARPS_M) * NI * 8;
            bool wide = a.out_channels % 8 == 0;
            if (a.activation == ACT_GEGLU)
            {
                if (wide) store_slab<8, true>(a, slab, m0, n0);
                else store_slab<1, true>(a, slab, m0, n0);
            }
            else if (wide) store_slab<8, false>(a, slab, m0, n0);
            else store_slab<1, false>(a, slab, m0, n0);
            sync_warp();
        }
    }
};
