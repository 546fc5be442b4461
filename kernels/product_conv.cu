// Tensor-core convolutions over pictures: large tiles, small tiles, operands of any kind; and the naive twin, one thread an output.
#include "product_tile.h"

FP_KERNEL(product_conv_128, 256, 1, ProductArgs, a) { ProductTile<CONV, false, 2, 4, 4, 4>::run(a); }
FP_KERNEL(product_conv_64, 128, 2, ProductArgs, a) { ProductTile<CONV, false, 2, 2, 2, 4>::run(a); }
FP_KERNEL(product_conv_any, 128, 2, ProductArgs, a) { ProductTile<CONV, true, 2, 2, 2, 4>::run(a); }

FP_KERNEL(product_conv_naive, 256, 1, ProductArgs, a)
{
    i64 item = (i64)bid_x() * 256 + tid();
    i64 m = item / a.out_channels;
    int c = (int)(item - m * a.out_channels);
    if (m >= a.m) return;
    Row row = row_at<CONV>(a, m);
    bool gated = a.activation == ACT_GEGLU;
    int n = gated ? 2 * c : c;
    float sum = 0, gate = 0;
    for (int k = 0; k < a.k; k++)
    {
        float x = widen(narrow(gather1<CONV>(a, row, k)));
        sum += x * widen(a.weight[(i64)n * a.k_padded + k]);
        if (gated) gate += x * widen(a.weight[(i64)(n + 1) * a.k_padded + k]);
    }

    if (gated)
    {
        float both[2] = {sum, gate};
        finish<1, true>(a, m, n, both);
    }
    else
    {
        float one[1] = {sum};
        finish<1, false>(a, m, n, one);
    }
}
