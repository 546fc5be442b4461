using FramePainter.Backends;
using FramePainter.Backends.Cpu;
using FramePainter.Core.Tests.Support;
using FramePainter.Pipeline;
using FsCheck.Xunit;

namespace FramePainter.Core.Tests.Pipeline;

public sealed class PicturePreparationTests
{
    /// <summary>The draws of a whole edit, in its order: the picture's noise, then the latents'.</summary>
    [Fact]
    public void Noise_is_that_of_the_pipeline_goldens()
    {
        foreach (var golden in GoldenCase.OfKind("pipeline"))
        {
            var precision = golden.Args.GetProperty("draws").GetString() == "float16" ? DrawPrecision.Float16 : DrawPrecision.Float32;
            var random = new TorchRandom(golden.Args.GetProperty("seed").GetInt64());
            var (imageShape, imageNoise) = golden.OutputFloats("image_noise");
            var picture = new float[imageNoise.Length];
            var drawn = new float[imageNoise.Length];
            random.Randn(drawn);
            using (var buffer = new CpuBuffer(drawn.Length * sizeof(float)))
            {
                ((IDeviceBuffer)buffer).WritePicture(new byte[drawn.Length], new float[256], drawn, 1);
                buffer.Read(picture);
            }

            golden.AssertClose(imageNoise, ToChannelsFirst(picture, 1, 3), "image_noise");

            var (shape, latentNoise) = golden.OutputFloats("latent_noise");
            var latents = new float[latentNoise.Length];
            PicturePreparation.DrawLatents(random, precision, 1, shape[1], shape[4], shape[3], latents);
            golden.AssertClose(latentNoise, ToChannelsFirst(latents, shape[1], shape[2]), "latent_noise");
        }
    }

    [Fact]
    public void Half_latents_stay_half_through_the_scaling()
    {
        var (single, half, drawn) = (new float[2 * 3 * 5 * 4], new float[2 * 3 * 5 * 4], new Half[2 * 3 * 5 * 4]);
        PicturePreparation.DrawLatents(new TorchRandom(5), DrawPrecision.Float16, 700.0007f, 2, 5, 3, half);
        PicturePreparation.DrawLatents(new TorchRandom(5), DrawPrecision.Float32, 700.0007f, 2, 5, 3, single);
        new TorchRandom(5).Randn(drawn);
        Assert.Equal(drawn.Select(d => (float)(Half)((float)d * 700.0007f)), ToChannelsFirst(half, 2, 4));
        Assert.NotEqual(single, half);
    }

    [Fact]
    public void Noise_is_added_by_its_strength()
    {
        // More positions than are converted at a time.
        const int positions = 20_000;
        var (noise, pixels) = (new float[positions * 3], new byte[positions * 3]);
        new TorchRandom(9).Randn(noise);
        new Random(3).NextBytes(pixels);
        var want = Enumerable.Range(0, noise.Length).Select(i => PixelValues.Signed[pixels[i]] + (0.02f * noise[(i % 3 * positions) + (i / 3)]));
        Assert.Equal(want, Written(pixels, PixelValues.Signed, noise, 0.02f));
        Assert.Throws<ArgumentException>(() => Written(pixels, PixelValues.Signed, noise[1..], 0.02f));
        Assert.Throws<ArgumentException>(() => Written(pixels, PixelValues.Signed[1..], [], 0));
        Assert.Throws<ArgumentException>(() => Written(pixels[1..], PixelValues.Signed, [], 0));
    }

    [Fact]
    public void Pixels_become_floats_in_the_original_s_order_of_rounding()
    {
        var bytes = Enumerable.Range(0, 256 * 3).Select(i => (byte)(i / 3)).ToArray();
        var (signed, unit) = (Written(bytes, PixelValues.Signed, [], 0), Written(bytes, PixelValues.Unit, [], 0));
        for (var i = 0; i < bytes.Length; i++)
        {
            Assert.Equal(bytes[i] / 255f, unit[i]);
            Assert.Equal((2f * (bytes[i] / 255f)) - 1f, signed[i]);
            Assert.Equal((bytes[i] / 127.5) - 1, signed[i], 1e-6);
        }

        Assert.Equal((-1f, 1f, 0f, 1f), (signed[0], signed[^1], unit[0], unit[^1]));
    }

    [Property]
    public bool A_picture_survives_the_way_there_and_back(byte width, byte height, int seed)
    {
        var image = Pictures.Random(1 + (width % 30), 1 + (height % 30), PixelFormat.Rgb24, seed);
        return Frame(Written(image.Pixels.ToArray(), PixelValues.Signed, [], 0), image.Width, image.Height).Pixels.SequenceEqual(image.Pixels);
    }

    [Fact]
    public void Decoded_values_clamp_and_round_half_to_even()
    {
        // (2k+1)/255 − 1 lies between levels k and k+1; only 127.5 is hit exactly, by zero.
        float[] frame = [0, -2, 2, float.PositiveInfinity, float.NegativeInfinity, -1, 1, float.MaxValue, -0f];
        Assert.Equal([128, 0, 255, 255, 0, 0, 255, 255, 128], Frame(frame, 3, 1).Pixels.ToArray());
    }

    [Fact]
    public void A_value_that_is_no_number_is_refused_and_placed()
    {
        var frame = new float[4 * 3 * 3];
        frame[(((2 * 4) + 1) * 3) + 1] = float.NaN;
        var error = Assert.Throws<ImageException>(() => Frame(frame, 4, 3));
        Assert.Contains("column 1, row 2", error.Message, StringComparison.Ordinal);
    }

    static float[] Written(byte[] pixels, float[] values, float[] noise, float strength)
    {
        using var buffer = new CpuBuffer(pixels.Length * sizeof(float));
        ((IDeviceBuffer)buffer).WritePicture(pixels, values, noise, strength);
        var written = new float[pixels.Length];
        buffer.Read(written);
        return written;
    }

    static PixelImage Frame(float[] values, int width, int height)
    {
        // The second of two.
        using var buffer = new CpuBuffer(2L * values.Length * sizeof(float));
        buffer.Write(values, values.Length * sizeof(float));
        return PicturePreparation.ReadFrame(buffer, 1, width, height);
    }

    static float[] ToChannelsFirst(float[] values, int images, int channels)
    {
        var result = new float[values.Length];
        var plane = values.Length / images / channels;
        for (var i = 0; i < values.Length; i++)
        {
            var (c, p, n) = (i % channels, i / channels % plane, i / channels / plane);
            result[(((n * channels) + c) * plane) + p] = values[i];
        }

        return result;
    }
}
