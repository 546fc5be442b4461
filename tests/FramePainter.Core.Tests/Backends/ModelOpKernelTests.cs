using FramePainter.Graphs;

namespace FramePainter.Core.Tests.Backends;

public sealed class ModelOpKernelTests
{
    [Theory]
    [InlineData(2, 4, 6, 5, 2, 3)]
    [InlineData(1, 7, 5, 33, 3, 4)]
    [InlineData(2, 3, 3, 2, 5, 4)]
    [InlineData(2, 64, 50, 24, 32, 25)]
    public void Control_pool_normalises_and_averages_windows(int images, int height, int width, int channels, int h2, int w2)
    {
        var h = new OpHarness(1);
        var x = h.Input(h.Normal((long)images * height * width * channels, 1000, 1e-2), images, height, width, channels);
        var size = height * width * channels;
        var moments = Enumerable.Range(0, images).Select(image => Moments(h.Data(x).AsSpan(image * size, size))).ToList();
        foreach (var (path, result) in h.Run(h.Graph.ControlPool(x, h2, w2)))
        {
            OpHarness.Close(Pool, result, 2e-6, $"{path}");
        }

        double Pool(int i)
        {
            var (c, px) = (i % channels, i / channels % w2);
            var (py, image) = (i / channels / w2 % h2, i / channels / w2 / h2);
            var (y0, y1) = (py * height / h2, (((py + 1) * height) + h2 - 1) / h2);
            var (x0, x1) = (px * width / w2, (((px + 1) * width) + w2 - 1) / w2);
            var average = (from y in Enumerable.Range(y0, y1 - y0) from xx in Enumerable.Range(x0, x1 - x0) select (double)h[x, (((((image * height) + y) * width) + xx) * channels) + c]).Average();
            return (average - moments[image].Mean) / (moments[image].Deviation + 1e-5);
        }
    }

    [Theory]
    [InlineData(4, 2, 5, 7, 9)]
    [InlineData(2, 2, 40, 41, 24)]
    public void Control_align_takes_the_statistics_of_x(int images, int aligned, int height, int width, int channels)
    {
        var h = new OpHarness(2);
        var (x, control) = (h.Input(images, height, width, channels), h.Input(aligned, height, width, channels));
        var scales = h.Input(1, aligned);
        var size = height * width * channels;
        var moments = Enumerable.Range(0, images).Select(image => Moments(h.Data(x).AsSpan(image * size, size))).ToList();
        foreach (var (path, result) in h.Run(h.Graph.ControlAlign(x, control, scales)))
        {
            OpHarness.Close(Align, result, 1e-6, $"{path}");
        }

        double Align(int i)
        {
            var image = i / size;
            var j = image - (images - aligned);
            if (j < 0)
            {
                return h[x, i];
            }

            var c = (double)h[control, (j * size) + (i % size)] * moments[image].Deviation;
            return h[x, i] + (0.2 * h[scales, j] * (c + moments[image].Mean));
        }
    }

    [Fact]
    public void Sinusoids_have_cosines_first()
    {
        var h = new OpHarness(3);
        var x = h.Input([6f, 127f, 0.02f, 1.6377f, -1.5f, 0f], 2, 3);
        foreach (var (path, result) in h.Run(h.Graph.Sinusoid(x, 256, 2)))
        {
            OpHarness.Close(i =>
            {
                var (t, k) = (h[x, i / 256], i % 128);
                var phase = t * Math.Pow(10000, -k / 128.0);
                return i % 256 < 128 ? Math.Cos(phase) : Math.Sin(phase);
            }, result, 1e-5, $"{path}");
        }
    }

    [Theory]
    [InlineData(0)]
    [InlineData(4)]
    public void A_row_is_selected_when_built_or_when_run(int row)
    {
        var h = new OpHarness(4);
        var (table, index) = (h.Input(5, 19), h.Input([row], 1, 1));
        foreach (var (path, results) in h.RunAll(h.Graph.SelectRow(table, row), h.Graph.SelectRow(table, index)))
        {
            OpHarness.Close(i => h[table, (row * 19) + i], results[0], 0, $"{path}");
            Assert.Equal(results[0], results[1]);
        }
    }

    [Theory]
    [InlineData(5f)]
    [InlineData(-1f)]
    [InlineData(1.5f)]
    [InlineData(float.NaN)]
    public void A_row_that_is_not_there_is_refused(float row)
    {
        var h = new OpHarness(5);
        var (table, index) = (h.Input(5, 3), h.Input([row], 1, 1));
        var error = Assert.Throws<InvalidOperationException>(() => h.RunAll(h.Graph.SelectRow(table, index)));
        Assert.Contains("5 rows", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_class_token_comes_first_and_positions_are_added()
    {
        var h = new OpHarness(6);
        var patches = h.Input(2, 3, 4, 21);
        var (first, positions) = (h.Vector(21), h.Vector(13 * 21));
        foreach (var (path, result) in h.Run(h.Graph.ClassToken(patches, first, positions)))
        {
            OpHarness.Close(i =>
            {
                var (image, at) = (i / (13 * 21), i % (13 * 21));
                return h.Data(positions)[at] + (double)(at < 21 ? h.Data(first)[at] : h[patches, (image * 12 * 21) + at - 21]);
            }, result, 1e-7, $"{path}");
        }
    }

    /// <summary>Mean and unbiased deviation.</summary>
    static (double Mean, double Deviation) Moments(ReadOnlySpan<float> values)
    {
        var all = values.ToArray().Select(v => (double)v).ToList();
        var mean = all.Average();
        return (mean, Math.Sqrt(all.Sum(v => (v - mean) * (v - mean)) / (all.Count - 1)));
    }
}
