using System.Diagnostics;
using System.Numerics.Tensors;
using FramePainter.Backends;

namespace FramePainter.Pipeline;

/// <summary>
/// From the floats that the networks write to 8-bit pictures, and the noise drawn for them.
/// Activations are channels-last; noise is drawn in PyTorch's order, channels first, and moved.
/// </summary>
static class PicturePreparation
{
    const int Channels = 3;
    const int LatentChannels = 4;

    /// <summary>Draws the initial latents: the edit's second draw, [1, frames, 4, h, w].</summary>
    /// <param name="random">The edit's generator.</param>
    /// <param name="precision">The precision of the draw; a half draw stays half through the scaling.</param>
    /// <param name="initNoiseSigma">What the noise is multiplied by.</param>
    /// <param name="frames">Number of frames.</param>
    /// <param name="width">Width of the latents.</param>
    /// <param name="height">Height of the latents.</param>
    /// <param name="destination">Receives [frames, h, w, 4] values.</param>
    public static void DrawLatents(TorchRandom random, DrawPrecision precision, float initNoiseSigma, int frames, int width, int height, Span<float> destination)
    {
        Debug.Assert(destination.Length == frames * width * height * LatentChannels, "The span fits.");
        var noise = new float[destination.Length];
        if (precision == DrawPrecision.Float32)
        {
            random.Randn(noise);
            TensorPrimitives.Multiply(noise, initNoiseSigma, noise);
        }
        else
        {
            var halves = new Half[noise.Length];
            random.Randn(halves);
            for (var i = 0; i < noise.Length; i++)
            {
                noise[i] = (float)(Half)((float)halves[i] * initNoiseSigma);
            }
        }

        var plane = width * height;
        for (var f = 0; f < frames; f++)
        {
            var from = noise.AsSpan(f * plane * LatentChannels, plane * LatentChannels);
            var to = destination.Slice(f * plane * LatentChannels, plane * LatentChannels);
            for (var p = 0; p < plane; p++)
            {
                for (var c = 0; c < LatentChannels; c++)
                {
                    to[(p * LatentChannels) + c] = from[(c * plane) + p];
                }
            }
        }
    }

    /// <summary>A decoded frame as an 8-bit picture: (x/2 + 0.5) clamped to 0..1, times 255, rounded half to even. Infinities clamp like any other value.</summary>
    /// <param name="frames">[frames, H, W, 3] values, −1 to 1 where the network is sure.</param>
    /// <param name="frame">Which frame.</param>
    /// <param name="width">Width of the frame.</param>
    /// <param name="height">Height of the frame.</param>
    /// <exception cref="ImageException">A value is no number.</exception>
    public static PixelImage ReadFrame(IDeviceBuffer frames, int frame, int width, int height)
    {
        var pixels = new byte[width * height * Channels];
        if (frames.ReadPicture(pixels, (long)frame * pixels.Length * sizeof(float)) is >= 0 and var broken)
        {
            var (y, x) = int.DivRem(broken / Channels, width);
            throw new ImageException(
                $"The decoded picture is no number at column {x}, row {y}: the weights are damaged, or the precision chosen cannot hold their activations; try float32 or another checkpoint.");
        }

        return PixelImage.Adopt(pixels, width, height, PixelFormat.Rgb24);
    }
}
