using FramePainter.Core.Tests.Support;
using FramePainter.Pipeline;
using FramePainter.Tensors;

namespace FramePainter.Core.Tests.Tensors;

/// <summary>Rows are done once, and pictures are the same bits by any number of threads.</summary>
public sealed class RowWorkTests
{
    [Theory]
    [InlineData(0, 4)]
    [InlineData(1, 4)]
    [InlineData(3, 4)]
    [InlineData(1000, 1)]
    [InlineData(1000, 7)]
    public void Every_row_is_done_once(int rows, int threads)
    {
        var done = new int[rows];
        RowWork.Run(rows, threads, (first, end) =>
        {
            for (var y = first; y < end; y++)
            {
                Interlocked.Increment(ref done[y]);
            }
        });
        Assert.All(done, d => Assert.Equal(1, d));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(4)]
    public void What_a_row_throws_comes_out_as_it_is(int threads)
    {
        var error = Assert.Throws<CheckpointException>(() => RowWork.Run(100, threads, (first, end) =>
        {
            if (first <= 70 && 70 < end)
            {
                throw new CheckpointException("row 70");
            }
        }));
        Assert.Equal("row 70", error.Message);
    }

    [Theory]
    [InlineData(PixelFormat.Gray8)]
    [InlineData(PixelFormat.Rgb24)]
    [InlineData(PixelFormat.Rgba32)]
    public void Resized_pictures_are(PixelFormat format)
    {
        var image = Pictures.Random(97, 61, format, seed: 4);
        foreach (var (width, height) in new[] { (33, 120), (97, 5), (200, 61) })
        {
            Assert.Equal(PillowResize.Resize(image, width, height, ResizeFilter.Lanczos).Pixels, PillowResize.Resize(image, width, height, ResizeFilter.Lanczos, threads: 5).Pixels);
        }
    }

    [Fact]
    public void The_tower_s_pictures_are()
    {
        var image = Pictures.Random(97, 61, PixelFormat.Rgb24, seed: 4);
        float[] mean = [0.4f, 0.5f, 0.6f], deviation = [0.2f, 0.3f, 0.4f], one = new float[28 * 28 * 3], several = new float[one.Length];
        ClipPreprocess.Run(image, 28, mean, deviation, one);
        ClipPreprocess.Run(image, 28, mean, deviation, several, threads: 5);
        Assert.Equal(one, several);
    }
}
