using FramePainter.Core.Tests.Support;
using FramePainter.Pipeline;
using FsCheck.Xunit;

namespace FramePainter.Core.Tests.Pipeline;

public sealed class ClipPreprocessTests
{
    /// <summary>CLIP's own statistics, as its feature extractor's config states them.</summary>
    static readonly float[] s_mean = [0.48145466f, 0.4578275f, 0.40821073f];
    static readonly float[] s_deviation = [0.26862954f, 0.26130258f, 0.27577711f];

    [Fact]
    public void Values_are_those_of_the_goldens()
    {
        foreach (var golden in GoldenCase.OfKind("clip_preprocess"))
        {
            var (shape, want) = golden.OutputFloats("pixel_values");
            var (size, plane) = (shape[^1], shape[^1] * shape[^1]);
            var nhwc = Run(golden.InputImage("image"), size);
            var nchw = new float[nhwc.Length];
            for (var i = 0; i < nhwc.Length; i++)
            {
                nchw[((i % 3) * plane) + (i / 3)] = nhwc[i];
            }

            golden.AssertClose(want, nchw, "pixel_values");
        }
    }

    [Theory]
    [InlineData(1, 1, 5)]
    [InlineData(1, 9, 4)]
    [InlineData(2, 2, 7)]
    [InlineData(9, 2, 1)]
    [InlineData(30, 17, 16)]
    [InlineData(75, 61, 10)]
    [InlineData(64, 64, 64)]
    [InlineData(200, 3, 8)]
    public void Every_shape_meets_the_two_steps_done_one_after_the_other(int width, int height, int size)
    {
        var image = Pictures.Random(width, height, PixelFormat.Rgb24, width + height);
        var got = Run(image, size);
        for (var c = 0; c < 3; c++)
        {
            var plane = new double[height, width];
            for (var i = 0; i < width * height; i++)
            {
                plane[i / width, i % width] = (image.Pixels[(i * 3) + c] / 127.5) - 1;
            }

            // Columns of the transpose are rows: each axis is blurred and resampled in turn.
            var small = Transpose(Axis(Transpose(Axis(plane, size)), size));
            for (var i = 0; i < size * size; i++)
            {
                var want = (((small[i / size, i % size] + 1) / 2) - s_mean[c]) / s_deviation[c];
                Assert.Equal(want, got[(i * 3) + c], 2e-5);
            }
        }
    }

    [Property]
    public bool A_constant_picture_stays_constant(byte value, byte width, byte height)
    {
        var got = Run(Pictures.Constant(1 + width, 1 + height, PixelFormat.Gray8, value), 12);
        return got.Index().All(v => Math.Abs(v.Item - (((value / 255.0) - s_mean[v.Index % 3]) / s_deviation[v.Index % 3])) < 2e-5);
    }

    [Fact]
    public void Alpha_is_dropped()
    {
        var rgba = Pictures.Random(20, 30, PixelFormat.Rgba32);
        Assert.Equal(Run(rgba.ToRgb(), 9), Run(rgba, 9));
    }

    [Fact]
    public void What_stood_in_the_destination_does_not_matter()
    {
        var image = Pictures.Random(20, 30, PixelFormat.Rgb24);
        var used = Enumerable.Repeat(float.NaN, 9 * 9 * 3).ToArray();
        ClipPreprocess.Run(image, 9, s_mean, s_deviation, used);
        Assert.Equal(Run(image, 9), used);
    }

    static float[] Run(PixelImage image, int size)
    {
        var values = new float[size * size * 3];
        ClipPreprocess.Run(image, size, s_mean, s_deviation, values);
        return values;
    }

    /// <summary>Blurs the rows of a plane, then resamples them.</summary>
    static double[,] Axis(double[,] plane, int output)
    {
        var (rows, input) = (plane.GetLength(0), plane.GetLength(1));
        var sigma = Math.Max((((double)input / output) - 1) / 2, 0.001);
        var taps = Math.Max((int)Math.Floor(4 * sigma), 3);
        taps += taps % 2 == 0 ? 1 : 0;
        var result = new double[rows, output];
        for (var y = 0; y < rows; y++)
        {
            var blurred = new double[input];
            for (var x = 0; x < input; x++)
            {
                double sum = 0, norm = 0;
                for (var k = -(taps / 2); k <= taps / 2; k++)
                {
                    var weight = Math.Exp(-k * k / (2 * sigma * sigma));
                    var at = input == 1 ? 0 : Math.Abs(x + k);
                    at = at > input - 1 ? (2 * (input - 1)) - at : at;
                    sum += weight * plane[y, at];
                    norm += weight;
                }

                blurred[x] = sum / norm;
            }

            for (var i = 0; i < output; i++)
            {
                var position = output == 1 ? 0 : (double)i * (input - 1) / (output - 1);
                for (var at = (int)position - 2; at <= (int)position + 3; at++)
                {
                    result[y, i] += Cubic(at - position) * blurred[Math.Clamp(at, 0, input - 1)];
                }
            }
        }

        return result;
    }

    static double Cubic(double x)
    {
        x = Math.Abs(x);
        return x < 1 ? (1.25 * x * x * x) - (2.25 * x * x) + 1 : x < 2 ? (-0.75 * x * x * x) + (3.75 * x * x) - (6 * x) + 3 : 0;
    }

    static double[,] Transpose(double[,] plane)
    {
        var result = new double[plane.GetLength(1), plane.GetLength(0)];
        for (var y = 0; y < plane.GetLength(0); y++)
        {
            for (var x = 0; x < plane.GetLength(1); x++)
            {
                result[x, y] = plane[y, x];
            }
        }

        return result;
    }
}
