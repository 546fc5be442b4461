// Arguments of Hopper's products, and where a tile of outputs lies.
#pragma once
#include "../product.h"
#include "ring.h"

// A divisor of numbers below 2^31, as what they are multiplied by: three instructions where a division takes some thirty, one after the other.
struct Divisor
{
    u32 factor, shift;
};

DEV int quotient(int number, const Divisor& by) { return (int)((u64)(u32)number * by.factor >> by.shift); }

// Sums of the next norm: a group's count, mean and squared deviations of each tile, as norms.cu has them of each chunk (MomentsArgs::parts).
// Tiles of `chunks` in a row are one of the norm's sets; a group has `width` channels.
struct NextNormArgs
{
    float* parts;
    int groups, width, chunks, unused;
};

struct FP_ALIGNED_ARGUMENT HopperProductArgs
{
    TensorMap first, second, weight;
    // Of halves alone: float32 is stored and read directly.
    TensorMap residual0, residual1, out;
    ProductArgs product;
    NextNormArgs next;
    // Sums of tiles that several blocks share, and how many of these have come.
    float* partial;
    u32* arrived;
    Divisor by_tiles_x, by_tiles_y, by_tiles_n;
    // Sides of a box as powers of two.
    int box_x, box_y, tiles_x, tiles_y, tiles_n, out_width, out_height, out_images, taps_y, taps_x;
    // Rows of the input where taps that only read beyond its edges are left out; else 0.
    int in_height;
    // Positions of the output lie out_scale apart, from (out_x, out_y) on.
    int out_scale, out_x, out_y;
    // The first tiles are computed whole; each of the others in so many slices of its steps.
    int whole, shared, slices;
};

enum ProductMap { MAP_FIRST, MAP_SECOND, MAP_WEIGHT, MAP_RESIDUAL0, MAP_RESIDUAL1, MAP_OUT };

// The address of one of a launch's maps.
DEV u64 map_at(u64 argument, int map) { return argument + (u64)map * sizeof(TensorMap); }

// The first position of a tile's box, and its first column of sums.
struct ProductTileAt
{
    int x, y, image, n;
};

// The output's position of a row of a box, or -1 beyond its edges.
DEV i64 position_of(const HopperProductArgs& a, const ProductTileAt& tile, int row)
{
    int x = (row & ((1 << a.box_x) - 1)) + tile.x, rest = row >> a.box_x;
    int y = (rest & ((1 << a.box_y) - 1)) + tile.y, image = tile.image + (rest >> a.box_y);
    if (x >= a.out_width || y >= a.out_height || image >= a.out_images) return -1;
    return ((i64)image * a.out_height * a.out_scale + y * a.out_scale + a.out_y) * (a.out_width * a.out_scale) + x * a.out_scale + a.out_x;
}
