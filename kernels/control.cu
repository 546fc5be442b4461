// The alignment of control features to the features they join: normalised and pooled once, joined at every step.
#include "common.h"

struct ControlArgs
{
    View input, control, scales, out;
    const float* moments;
    i64 count;
    int height, width, channels, pooled_height, pooled_width, per_image, before, unused;
    float constant;
};

FP_KERNEL(control_pool, 256, 2, ControlArgs, a)
{
    i64 at = (i64)bid_x() * 256 + tid();
    if (at >= a.count) return;
    i64 position = at / a.channels;
    int c = (int)(at - position * a.channels), per_image = a.pooled_height * a.pooled_width;
    i64 image = position / per_image;
    int i = (int)(position - image * per_image) / a.pooled_width, j = (int)(position - image * per_image) % a.pooled_width;
    int top = i * a.height / a.pooled_height, bottom = ((i + 1) * a.height + a.pooled_height - 1) / a.pooled_height;
    int left = j * a.width / a.pooled_width, right = ((j + 1) * a.width + a.pooled_width - 1) / a.pooled_width;
    float mean = a.moments[image * 3], deviation = __builtin_sqrtf(a.moments[image * 3 + 2]);
    float sum = 0;
    for (int y = top; y < bottom; y++)
        for (int x = left; x < right; x++) sum += load1(a.input, ((image * a.height + y) * a.width + x) * a.channels + c);
    float r[1] = {(sum / (float)((bottom - top) * (right - left)) - mean) / (deviation + a.constant)};
    store<1>(a.out, at, r);
}

// Moments are of the images that control joins: the last ones.
FP_KERNEL(control_align, 256, 2, ControlArgs, a)
{
    i64 at = (i64)bid_x() * 256 + tid();
    if (at >= a.count) return;
    float x = load1(a.input, at);
    int image = (int)(at / a.per_image) - a.before;
    if (image >= 0)
    {
        float mean = a.moments[image * 3], deviation = __builtin_sqrtf(a.moments[image * 3 + 2]);
        float control = load1(a.control, at - (i64)a.before * a.per_image);
        x += a.constant * load1(a.scales, image) * (control * deviation + mean);
    }

    float r[1] = {x};
    store<1>(a.out, at, r);
}
