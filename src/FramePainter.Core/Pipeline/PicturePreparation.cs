using System.Diagnostics;
using System.Numerics.Tensors;

namespace FramePainter.Pipeline;

/// <summary>
/// Between 8-bit pictures and the floats that the networks read and write, and the noise drawn for them.
/// Activations are channels-last; noise is drawn in PyTorch's order, channels first, and moved.
/// </summary>
static class PicturePreparation
{
    const int Channels = 3;
    const int LatentChannels = 4;

    /// <summary>A picture as the VAE encoder takes it.</summary>
    /// <param name="image">The picture at the working size; alpha is dropped.</param>
    /// <param name="destination">Receives [H, W, 3] values from −1 to 1.</param>
    public static void ToSigned(PixelImage image, Span<float> destination) => Map(image, PixelValues.Signed, destination);

    /// <summary>A control frame (sketch or coarse edit) as the control encoder takes it.</summary>
    /// <param name="image">The frame at the working size; alpha is dropped.</param>
    /// <param name="destination">Receives [H, W, 3] values from 0 to 1.</param>
    public static void ToUnit(PixelImage image, Span<float> destination) => Map(image, PixelValues.Unit, destination);

    /// <summary>Adds noise to the picture before it is encoded: the edit's first draw, [1, 3, H, W] in float32.</summary>
    /// <param name="random">The edit's generator.</param>
    /// <param name="strength">What the noise is multiplied by (SVD's noise augmentation: 0.02).</param>
    /// <param name="width">Width of the picture.</param>
    /// <param name="height">Height of the picture.</param>
    /// <param name="picture">[H, W, 3] values, changed in place.</param>
    public static void AddNoise(TorchRandom random, float strength, int width, int height, Span<float> picture)
    {
        Debug.Assert(picture.Length == width * height * Channels, "The picture has this size.");
        var noise = new float[picture.Length];
        random.Randn(noise);
        var plane = width * height;
        for (var p = 0; p < plane; p++)
        {
            for (var c = 0; c < Channels; c++)
            {
                picture[(p * Channels) + c] += strength * noise[(c * plane) + p];
            }
        }
    }

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
    /// <param name="frame">[H, W, 3] values, −1 to 1 where the network is sure.</param>
    /// <param name="width">Width of the frame.</param>
    /// <param name="height">Height of the frame.</param>
    /// <exception cref="ImageException">A value is no number.</exception>
    public static PixelImage ToPicture(ReadOnlySpan<float> frame, int width, int height)
    {
        Debug.Assert(frame.Length == width * height * Channels, "The frame has this size.");
        var pixels = new byte[frame.Length];
        for (var i = 0; i < pixels.Length; i++)
        {
            var unit = (frame[i] / 2) + 0.5f;
            if (float.IsNaN(unit))
            {
                var (y, x) = int.DivRem(i / Channels, width);
                throw new ImageException(
                    $"The decoded picture is no number at column {x}, row {y}: the weights are damaged, or the precision chosen cannot hold their activations; try float32 or another checkpoint.");
            }

            pixels[i] = (byte)MathF.Round(Math.Clamp(unit, 0f, 1f) * 255f, MidpointRounding.ToEven);
        }

        return PixelImage.Adopt(pixels, width, height, PixelFormat.Rgb24);
    }

    static void Map(PixelImage image, float[] values, Span<float> destination)
    {
        var pixels = image.ToRgb().Pixels;
        Debug.Assert(destination.Length == pixels.Length, "The span fits.");
        for (var i = 0; i < pixels.Length; i++)
        {
            destination[i] = values[pixels[i]];
        }
    }
}
