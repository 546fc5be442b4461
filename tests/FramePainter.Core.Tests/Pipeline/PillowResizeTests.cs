using FramePainter.Core.Tests.Support;
using FramePainter.Pipeline;
using FsCheck.Xunit;

namespace FramePainter.Core.Tests.Pipeline;

public sealed class PillowResizeTests
{
    [Fact]
    public void Pictures_are_those_of_the_goldens_bit_for_bit()
    {
        foreach (var golden in GoldenCase.OfKind("resize"))
        {
            var filter = golden.Args.GetProperty("filter").GetString() == "lanczos" ? ResizeFilter.Lanczos : ResizeFilter.Bicubic;
            var (shape, want) = golden.Output("image");
            var got = PillowResize.Resize(
                golden.InputImage("image"), golden.Args.GetProperty("width").GetInt32(), golden.Args.GetProperty("height").GetInt32(), filter);
            Assert.Equal((shape[1], shape[0]), (got.Width, got.Height));
            Assert.Equal(want, got.Pixels.ToArray());
        }
    }

    [Theory]
    [InlineData(1, 1, 7, 5)]
    [InlineData(7, 5, 1, 1)]
    [InlineData(2, 3, 3, 2)]
    [InlineData(13, 9, 40, 31)]
    [InlineData(37, 41, 11, 17)]
    [InlineData(20, 20, 20, 33)]
    [InlineData(20, 21, 35, 21)]
    [InlineData(50, 3, 3, 50)]
    [InlineData(64, 32, 32, 16)]
    public void Every_shape_is_within_rounding_of_the_exact_sum(int width, int height, int toWidth, int toHeight)
    {
        foreach (var filter in new[] { ResizeFilter.Lanczos, ResizeFilter.Bicubic })
        {
            foreach (var format in new[] { PixelFormat.Gray8, PixelFormat.Rgb24 })
            {
                var image = Pictures.Random(width, height, format, (width * 31) + toHeight);
                var got = PillowResize.Resize(image, toWidth, toHeight, filter);
                var want = ExactResize(image, toWidth, toHeight, filter);
                for (var i = 0; i < want.Length; i++)
                {
                    // Half a level from each pass; the second spreads the first's by the kernel's absolute sum, below 2.
                    Assert.InRange(got.Pixels[i] - want[i], -1.6, 1.6);
                }
            }
        }
    }

    [Property(MaxTest = 300)]
    public bool Rows_are_plain_sums_of_their_taps(byte width, byte toWidth, int seed, bool lanczos)
    {
        var (filter, to) = (lanczos ? ResizeFilter.Lanczos : ResizeFilter.Bicubic, 1 + toWidth);
        return new[] { PixelFormat.Gray8, PixelFormat.Rgb24, PixelFormat.Rgba32 }.All(format =>
        {
            var image = Pictures.Random(1 + width, 2, format, seed);
            if (format == PixelFormat.Rgba32)
            {
                // Without transparency colours are not weighted.
                var opaque = image.Pixels.ToArray();
                for (var i = 3; i < opaque.Length; i += 4)
                {
                    opaque[i] = byte.MaxValue;
                }

                image = PixelImage.FromPixels(opaque, image.Width, image.Height, format);
            }

            var (taps, got) = (new ResizeTaps(image.Width, to, filter), PillowResize.Resize(image, to, 2, filter));
            for (var i = 0; i < got.Pixels.Length; i++)
            {
                var (x, channel) = (i / got.Channels % to, i % got.Channels);
                var weights = taps.At(x, out var first);
                var sum = ResizeTaps.Half;
                for (var t = 0; t < weights.Length; t++)
                {
                    sum += weights[t] * image.Pixels[((((i / got.Channels / to) * image.Width) + first + t) * got.Channels) + channel];
                }

                if (image.Width != to && got.Pixels[i] != ResizeTaps.ToPixel(sum))
                {
                    return false;
                }
            }

            return true;
        });
    }

    [Property]
    public bool A_constant_picture_stays_constant(byte value, byte width, byte height, byte toWidth, byte toHeight, bool lanczos)
    {
        var image = Pictures.Constant(1 + width, 1 + height, PixelFormat.Rgb24, value);
        var result = PillowResize.Resize(image, 1 + toWidth, 1 + toHeight, lanczos ? ResizeFilter.Lanczos : ResizeFilter.Bicubic);
        return !result.Pixels.ContainsAnyExcept(value);
    }

    [Property]
    public bool A_picture_of_that_size_is_returned_as_is(byte width, byte height)
    {
        var image = Pictures.Random(1 + width, 1 + height, PixelFormat.Rgba32);
        return ReferenceEquals(image, PillowResize.Resize(image, image.Width, image.Height, ResizeFilter.Lanczos));
    }

    [Property]
    public bool Channels_do_not_mix(byte width, byte height, byte toWidth, byte toHeight)
    {
        var image = Pictures.Random(1 + (width % 40), 1 + (height % 40), PixelFormat.Rgb24, width);
        var (w, h) = (1 + (toWidth % 60), 1 + (toHeight % 60));
        var whole = PillowResize.Resize(image, w, h, ResizeFilter.Lanczos).Pixels.ToArray();
        for (var c = 0; c < 3; c++)
        {
            var plane = image.Pixels.ToArray().Where((_, i) => i % 3 == c).ToArray();
            var alone = PillowResize.Resize(PixelImage.FromPixels(plane, image.Width, image.Height, PixelFormat.Gray8), w, h, ResizeFilter.Lanczos);
            if (!alone.Pixels.SequenceEqual(whole.Where((_, i) => i % 3 == c).ToArray()))
            {
                return false;
            }
        }

        return true;
    }

    [Property]
    public bool An_opaque_picture_resizes_as_without_alpha(byte width, byte height, byte toWidth, byte toHeight)
    {
        var rgb = Pictures.Random(1 + (width % 40), 1 + (height % 40), PixelFormat.Rgb24, height);
        var bytes = new byte[rgb.Width * rgb.Height * 4];
        rgb.CopyTo(bytes, PixelFormat.Rgba32);
        var rgba = PixelImage.FromPixels(bytes, rgb.Width, rgb.Height, PixelFormat.Rgba32);
        var (w, h) = (1 + (toWidth % 60), 1 + (toHeight % 60));
        var result = PillowResize.Resize(rgba, w, h, ResizeFilter.Bicubic);
        return result.Format == PixelFormat.Rgba32
            && result.ToRgb().Pixels.SequenceEqual(PillowResize.Resize(rgb, w, h, ResizeFilter.Bicubic).Pixels)
            && result.Pixels.ToArray().Where((_, i) => i % 4 == 3).All(a => a == 255);
    }

    [Fact]
    public void Colours_of_transparent_pixels_do_not_bleed()
    {
        // Left half: opaque red. Right half: transparent green.
        var pixels = new byte[8 * 8 * 4];
        for (var i = 0; i < 64; i++)
        {
            (pixels[i * 4], pixels[(i * 4) + 1], pixels[(i * 4) + 3]) = i % 8 < 4 ? ((byte)200, (byte)0, (byte)255) : ((byte)0, (byte)200, (byte)0);
        }

        var result = PillowResize.Resize(PixelImage.FromPixels(pixels, 8, 8, PixelFormat.Rgba32), 5, 5, ResizeFilter.Bicubic);
        for (var i = 0; i < result.Pixels.Length; i += 4)
        {
            Assert.Equal(0, result.Pixels[i + 1]);
        }
    }

    [Fact]
    public void Alpha_weighting_rounds_products_of_bytes_exactly()
    {
        for (var value = 0; value < 256; value++)
        {
            for (var alpha = 0; alpha < 256; alpha++)
            {
                var product = AlphaWeighting.Multiply([(byte)value, 0, 0, (byte)alpha])[0];
                Assert.Equal((int)Math.Round(value * alpha / 255.0), product);
                var back = AlphaWeighting.Divide([(byte)value, 0, 0, (byte)alpha])[0];
                Assert.Equal(alpha == 0 ? value : Math.Min(255, value * 255 / alpha), back);
            }
        }
    }

    [Theory]
    [InlineData(0, 5)]
    [InlineData(5, -1)]
    [InlineData(40_000, 5)]
    public void Sizes_out_of_range_are_refused(int width, int height) =>
        Assert.Throws<ImageException>(() => PillowResize.Resize(Pictures.Random(3, 3, PixelFormat.Rgb24), width, height, ResizeFilter.Lanczos));

    [Fact]
    public void A_picture_between_the_passes_that_is_too_large_is_refused() =>
        Assert.Throws<ImageException>(() => PillowResize.Resize(Pictures.Random(2, 32_768, PixelFormat.Gray8), 16_384, 2, ResizeFilter.Lanczos));

    /// <summary>The same sums in double: rows, then columns, each clamped but not rounded.</summary>
    static double[] ExactResize(PixelImage image, int toWidth, int toHeight, ResizeFilter filter)
    {
        var channels = Pictures.Channels(image.Format);
        var (columns, rows) = (Weights(image.Width, toWidth, filter), Weights(image.Height, toHeight, filter));
        var narrow = new double[image.Height, toWidth * channels];
        for (var y = 0; y < image.Height; y++)
        {
            for (var i = 0; i < toWidth * channels; i++)
            {
                double sum = 0;
                for (var u = 0; u < image.Width; u++)
                {
                    sum += columns[i / channels, u] * image.Pixels[(((y * image.Width) + u) * channels) + (i % channels)];
                }

                narrow[y, i] = Math.Clamp(sum, 0, 255);
            }
        }

        var result = new double[toHeight * toWidth * channels];
        for (var o = 0; o < result.Length; o++)
        {
            var (y, i) = Math.DivRem(o, toWidth * channels);
            double sum = 0;
            for (var v = 0; v < image.Height; v++)
            {
                sum += rows[y, v] * narrow[v, i];
            }

            result[o] = Math.Clamp(sum, 0, 255);
        }

        return result;
    }

    /// <summary>Dense weights: the kernel, stretched when the axis shrinks, at every pixel centre under it.</summary>
    static double[,] Weights(int input, int output, ResizeFilter filter)
    {
        var scale = (double)input / output;
        var stretch = Math.Max(1, scale);
        var weights = new double[output, input];
        for (var i = 0; i < output; i++)
        {
            double sum = 0;
            for (var u = 0; u < input; u++)
            {
                weights[i, u] = Kernel((u + 0.5 - ((i + 0.5) * scale)) / stretch, filter);
                sum += weights[i, u];
            }

            for (var u = 0; u < input; u++)
            {
                weights[i, u] /= sum;
            }
        }

        return weights;
    }

    static double Kernel(double x, ResizeFilter filter)
    {
        x = Math.Abs(x);
        if (filter == ResizeFilter.Lanczos)
        {
            return x >= 3 ? 0 : x == 0 ? 1 : 3 * Math.Sin(Math.PI * x) * Math.Sin(Math.PI * x / 3) / (Math.PI * Math.PI * x * x);
        }

        return x < 1 ? (1.5 * x * x * x) - (2.5 * x * x) + 1 : x < 2 ? (-0.5 * x * x * x) + (2.5 * x * x) - (4 * x) + 2 : 0;
    }
}
