using FramePainter.Evaluation.Networks;
using FramePainter.Evaluation.Tests.Oracle;
using FsCheck.Xunit;

namespace FramePainter.Evaluation.Tests;

/// <summary>The layers at odd sizes.</summary>
public sealed class NetworkTests
{
    [Property(MaxTest = 60)]
    public void A_convolution_is_the_definitions(int seed, bool rectify)
    {
        var random = new Random(seed);
        var (side, stride, padding) = (random.Next(1, 6), random.Next(1, 5), random.Next(0, 3));
        var (width, height) = (random.Next(side, 20), random.Next(side, 20));
        var (inputs, outputs) = (random.Next(1, 9), random.Next(1, 40));
        var x = Random(random, width * height * inputs);
        var (weights, bias) = (Random(random, outputs * inputs * side * side), Random(random, outputs));
        var result = new Convolution(weights, bias, outputs, inputs, side, stride, padding).Run(new FeatureMap(x, height, width, inputs), rectify, default);

        var expected = PlainLayers.Conv(Planes(x, height, width, inputs), weights, bias, outputs, side, stride, padding, rectify);
        Assert.Equal((expected[0].GetLength(0), expected[0].GetLength(1), outputs), (result.Height, result.Width, result.Channels));
        for (var i = 0; i < result.Values.Length; i++)
        {
            var (position, c) = (i / outputs, i % outputs);
            Assert.Equal(expected[c][position / result.Width, position % result.Width], result.Values[i], 1e-5 * inputs * side * side);
        }
    }

    [Property(MaxTest = 60)]
    public void A_pooling_is_the_definitions(int seed, bool three)
    {
        var random = new Random(seed);
        var side = three ? 3 : 2;
        var (width, height, channels) = (random.Next(side, 12), random.Next(side, 12), random.Next(1, 20));
        var x = Random(random, width * height * channels);
        var result = new FeatureMap(x, height, width, channels).MaxPool(side, 2);
        var expected = PlainLayers.MaxPool(Planes(x, height, width, channels), side, 2);
        for (var i = 0; i < result.Values.Length; i++)
        {
            Assert.Equal(expected[i % channels][i / channels / result.Width, i / channels % result.Width], result.Values[i]);
        }
    }

    static float[] Random(Random random, int count) => [.. Enumerable.Range(0, count).Select(_ => (float)((random.NextDouble() * 2) - 1))];

    static double[][,] Planes(float[] x, int height, int width, int channels)
    {
        var planes = Enumerable.Range(0, channels).Select(_ => new double[height, width]).ToArray();
        for (var i = 0; i < x.Length; i++)
        {
            planes[i % channels][i / channels / width, i / channels % width] = x[i];
        }

        return planes;
    }
}
