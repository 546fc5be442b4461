// Attention on tensor cores with an online softmax: 64 queries a block, keys and values in tiles of 64, two stages of
// asynchronous copies. DIM is the width in registers, a multiple of 16; heads may be narrower by a multiple of 8.
#include "attention.h"

template <int DIM> struct Flash
{
    static constexpr int TILE = 64, PITCH = DIM + 8, MATRIX = TILE * PITCH, CHUNKS = DIM / 8;

    DEV void load_tile(half* to, const half* from, int stride, int first, int rows, int head_dim)
    {
        UNROLL for (int i = 0; i < TILE * CHUNKS / 128; i++)
        {
            int item = tid() + i * 128;
            int row = item / CHUNKS, chunk = item % CHUNKS;
            bool valid = first + row < rows && chunk * 8 < head_dim;
            cp_async16(to + row * PITCH + chunk * 8, valid ? from + (i64)(first + row) * stride + chunk * 8 : from, valid);
        }
    }

    DEV void run(const AttentionArgs& a)
    {
        AttentionSet s = set_of(a);
        half* query = (half*)smem();
        half* stages = query + MATRIX;
        int lane = tid() % 32, warp = tid() / 32;
        int image = bid_y() / a.heads, head = bid_y() - image * a.heads;
        int key_image = shared_row(image, a.images, s.key_images);
        int first = bid_x() * TILE;
        const half* keys = (const half*)s.key.data + (i64)key_image * s.keys * s.key_stride + head * a.head_dim;
        const half* values = (const half*)s.value.data + (i64)key_image * s.keys * s.value_stride + head * a.head_dim;
        load_tile(query, (const half*)s.query.data + (i64)image * a.tokens * s.query_stride + head * a.head_dim, s.query_stride, first, a.tokens, a.head_dim);
        load_tile(stages, keys, s.key_stride, 0, s.keys, a.head_dim);
        load_tile(stages + MATRIX, values, s.value_stride, 0, s.keys, a.head_dim);
        cp_commit();

        u32 q[DIM / 16][4];
        float out[DIM / 8][4], largest[2], total[2];
        UNROLL for (int i = 0; i < DIM / 8; i++)
        {
            UNROLL for (int e = 0; e < 4; e++) out[i][e] = 0;
        }

        UNROLL for (int h = 0; h < 2; h++)
        {
            largest[h] = -__builtin_inff();
            total[h] = 0;
        }

        int tiles = (s.keys + TILE - 1) / TILE;
        for (int tile = 0; tile < tiles; tile++)
        {
            cp_wait<0>();
            sync();
            half* key = stages + tile % 2 * 2 * MATRIX;
            half* value = key + MATRIX;
            if (tile + 1 < tiles)
            {
                half* next = stages + (tile + 1) % 2 * 2 * MATRIX;
                load_tile(next, keys, s.key_stride, (tile + 1) * TILE, s.keys, a.head_dim);
                load_tile(next + MATRIX, values, s.value_stride, (tile + 1) * TILE, s.keys, a.head_dim);
            }

            cp_commit();
            if (tile == 0)
            {
                UNROLL for (int k = 0; k < DIM / 16; k++) ldsm4(q[k], query + (warp * 16 + lane % 16) * PITCH + k * 16 + lane / 16 * 8);
            }

            float score[8][4];
            UNROLL for (int j = 0; j < 8; j++)
            {
                UNROLL for (int e = 0; e < 4; e++) score[j][e] = 0;
            }

            UNROLL for (int k = 0; k < DIM / 16; k++)
            {
                UNROLL for (int j = 0; j < 4; j++)
                {
                    u32 b[4];
                    ldsm4(b, key + (j * 16 + lane / 16 * 8 + lane % 8) * PITCH + k * 16 + lane / 8 % 2 * 8);
                    mma16816(score[2 * j], q[k], b[0], b[1]);
                    mma16816(score[2 * j + 1], q[k], b[2], b[3]);
                }
            }

            if ((tile + 1) * TILE > s.keys)
            {
                UNROLL for (int j = 0; j < 8; j++)
                {
                    UNROLL for (int e = 0; e < 4; e++)
                    {
                        if (tile * TILE + j * 8 + lane % 4 * 2 + e % 2 >= s.keys) score[j][e] = -__builtin_inff();
                    }
                }
            }

            // Rows of a fragment lie four lanes wide: lane / 4 and lane / 4 + 8.
            float correction[2];
            UNROLL for (int h = 0; h < 2; h++)
            {
                float most = largest[h];
                UNROLL for (int j = 0; j < 8; j++) most = __builtin_fmaxf(most, __builtin_fmaxf(score[j][2 * h], score[j][2 * h + 1]));
                most = __builtin_fmaxf(most, shfl_xor(most, 1));
                most = __builtin_fmaxf(most, shfl_xor(most, 2));
                correction[h] = ex2((largest[h] - most) * a.scale_log2);
                largest[h] = most;
                total[h] *= correction[h];
                float offset = most * a.scale_log2;
                UNROLL for (int j = 0; j < 8; j++)
                {
                    UNROLL for (int e = 0; e < 2; e++)
                    {
                        float p = ex2(score[j][2 * h + e] * a.scale_log2 - offset);
                        score[j][2 * h + e] = p;
                        total[h] += p;
                    }
                }
            }

            UNROLL for (int i = 0; i < DIM / 8; i++)
            {
                UNROLL for (int e = 0; e < 4; e++) out[i][e] *= correction[e / 2];
            }

            UNROLL for (int k = 0; k < 4; k++)
            {
                u32 p[4] = {pack2(score[2 * k][0], score[2 * k][1]), pack2(score[2 * k][2], score[2 * k][3]),
                            pack2(score[2 * k + 1][0], score[2 * k + 1][1]), pack2(score[2 * k + 1][2], score[2 * k + 1][3])};
                UNROLL for (int j = 0; j < DIM / 16; j++)
                {
                    u32 b[4];
                    ldsm4t(b, value + (k * 16 + lane % 16) * PITCH + j * 16 + lane / 16 * 8);
                    mma16816(out[2 * j], p, b[0], b[1]);
                    mma16816(out[2 * j + 1], p, b[2], b[3]);
                }
            }
        }

        cp_wait<0>();
        UNROLL for (int h = 0; h < 2; h++)
        {
            float sum = total[h];
            sum += shfl_xor(sum, 1);
            sum += shfl_xor(sum, 2);
            float inverse = 1.0f / sum;
            int token = first + warp * 16 + lane / 4 + h * 8;
            i64 at = ((i64)image * a.tokens + token) * a.out_channels + (bid_z() * a.heads + head) * a.head_dim + lane % 4 * 2;
            UNROLL for (int i = 0; i < DIM / 8; i++)
            {
                if (token < a.tokens && i * 8 < a.head_dim)
                {
                    float low = out[i][2 * h] * inverse, high = out[i][2 * h + 1] * inverse;
                    if (a.out.half)
                    {
                        *(u32*)((half*)a.out.data + at + i * 8) = pack2(low, high);
                    }
                    else
                    {
                        ((float*)a.out.data)[at + i * 8] = low;
                        ((float*)a.out.data)[at + i * 8 + 1] = high;
                    }
                }
            }
        }
    }
};

FP_KERNEL(attention_16, 128, 2, AttentionArgs, a) { Flash<16>::run(a); }
FP_KERNEL(attention_32, 128, 2, AttentionArgs, a) { Flash<32>::run(a); }
FP_KERNEL(attention_64, 128, 2, AttentionArgs, a) { Flash<64>::run(a); }
FP_KERNEL(attention_80, 128, 2, AttentionArgs, a) { Flash<80>::run(a); }
FP_KERNEL(attention_128, 128, 1, AttentionArgs, a) { Flash<128>::run(a); }
