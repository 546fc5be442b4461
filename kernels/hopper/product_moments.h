// Statistics of the group norm that reads a product's output, taken from the tile of halves as it leaves: a count, a mean and a sum of squared
// deviations for every group of the tile, in place of one more pass over memory.
#pragma once
#include "product_args.h"

template <int BM, int BN> struct ProductMoments
{
    // Sixteen lanes have WIDTH neighbouring columns each, of sixteen rows that lie eight apart.
    static constexpr int LANES = 16, WIDTH = BN / LANES, PAIRS = WIDTH / 2, APART = 128 / LANES;
    // Boxes of 32 columns, rows of 64 bytes, swizzled.
    static constexpr int BOX = 32, ROW = BOX * 2, BOX_BYTES = BM * ROW;
    static constexpr int WARPS = 4, GROUP_SUMS = WARPS * LANES;

    DEV const unsigned char* place_of(const unsigned char* tile, int row, int column)
    {
        return tile + column / BOX * BOX_BYTES + row * ROW + (column % BOX / 8 ^ row / 2 % 4) * 16 + column % 8 * 2;
    }

    // How many of `most` lie before the edge.
    DEV int before(int first, int edge, int most) { return edge - first < most ? edge - first : most; }

    // All threads of the warpgroup; sums has room for the lanes of each warp of each warpgroup. When it returns, the tile has been read.
    DEV void run(const HopperProductArgs& a, const ProductTileAt& at, const unsigned char* tile, f32x2* sums)
    {
        int thread = tid();
        hold(thread);
        sums += thread / 128 * GROUP_SUMS;
        thread %= 128;
        int lane = thread % LANES, row0 = thread / LANES, column0 = lane * WIDTH, width = a.next.width, lanes = width / WIDTH;
        // Sums are of differences to one of the numbers, the same for a whole group of the tile: see channel_moments in norms.cu.
        float pivot = widen(*(const half*)place_of(tile, 0, column0 / width * width));
        const unsigned char* from[PAIRS];
        UNROLL for (int k = 0; k < PAIRS; k++) from[k] = place_of(tile, row0, column0 + 2 * k);
        float sum = 0, squares = 0;
        _Pragma("unroll 2") for (int row = row0; row < BM; row += APART)
        {
            bool inside = position_of(a, at, row) >= 0;
            UNROLL for (int k = 0; k < PAIRS; k++)
            {
                u32 pair = *(const u32*)from[k];
                from[k] += APART * ROW;
                UNROLL for (int e = 0; e < 2; e++)
                {
                    float d = inside ? widen(half_of(pair, e)) - pivot : 0.0f;
                    sum += d;
                    squares += d * d;
                }
            }
        }

        for (int mask = 1; mask < lanes; mask *= 2)
        {
            sum += shfl_xor(sum, mask);
            squares += shfl_xor(squares, mask);
        }

        sum += shfl_xor(sum, LANES);
        squares += shfl_xor(squares, LANES);
        if (thread % 32 < LANES) sums[thread / 32 * LANES + lane] = f32x2{sum, squares};
        // What was read is read before the engine writes the next residual there.
        tensors_publish();
        sync_group();
        if (thread >= LANES || lane % lanes != 0 || at.n + column0 >= a.product.n) return;
        sum = squares = 0;
        UNROLL for (int warp = 0; warp < WARPS; warp++)
        {
            sum += sums[warp * LANES + lane][0];
            squares += sums[warp * LANES + lane][1];
        }

        int images = BM >> (a.box_x + a.box_y);
        int positions = before(at.x, a.out_width, 1 << a.box_x) * before(at.y, a.out_height, 1 << a.box_y) * before(at.image, a.out_images, images);
        float count = (float)(positions * width), mean = sum * rcp(count), rest = squares - sum * mean;
        int number = (at.image / images * a.tiles_y + (at.y >> a.box_y)) * a.tiles_x + (at.x >> a.box_x), set = number / a.next.chunks;
        float* to = a.next.parts + (((i64)set * a.next.groups + (at.n + column0) / width) * a.next.chunks + number - set * a.next.chunks) * 3;
        to[0] = count;
        to[1] = pivot + mean;
        to[2] = rest < 0 ? 0 : rest;
    }
};
