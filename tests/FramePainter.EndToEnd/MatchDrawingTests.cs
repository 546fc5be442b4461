using System.Numerics;
using FramePainter.Imaging;

namespace FramePainter.EndToEnd;

public sealed class MatchDrawingTests
{
    // 2×2 tokens of 8 pixels. Token 0 looks at token 1 most, token 1 at itself, token 2 at token 0, token 3 at token 2.
    static readonly MatchMap s_map = new(
        new AttentionBlock(0, "b", 8), 0, 2, 2,
        [0.1f, 0.6f, 0.2f, 0.1f, 0, 1, 0, 0, 0.7f, 0.1f, 0.1f, 0.1f, 0, 0, 1, 0],
        new Vector2(16, 16), new Vector2(8, 8));

    static readonly PixelImage s_gray = PixelImage.FromPixels(Enumerable.Repeat((byte)100, 16 * 16 * 3).ToArray(), 16, 16, PixelFormat.Rgb24);

    [Fact]
    public void Heat_glows_with_the_share_of_the_strongest_token()
    {
        var heat = MatchDrawing.Heat(s_gray, s_map, new Vector2(3, 3));
        Assert.Equal((255, 255, 255), Pixel(heat, 8, 0));
        Assert.Equal((255, 255, 255), Pixel(heat, 15, 7));
        // A sixth of the strongest: half the red, the grey dimmed beneath; a third: all of the red.
        Assert.Equal((152, 50, 50), Pixel(heat, 0, 0));
        Assert.Equal((255, 50, 50), Pixel(heat, 0, 8));
        Assert.Equal((50, 50, 50), Pixel(MatchDrawing.Heat(s_gray, s_map, new Vector2(9, 3)), 0, 0));
    }

    [Fact]
    public void Arrows_run_from_the_token_to_its_match()
    {
        var flow = MatchDrawing.Flow(s_gray, s_map);
        // To the right is red; along the first row from 4 to 12, the ends covered by the arrow from below and the second token's own white dot.
        for (var x = 5; x < 11; x++)
            Assert.Equal((255, 0, 0), Pixel(flow, x, 4));

        Assert.Equal((255, 255, 255), Pixel(flow, 12, 4));
        // Token 2 looks up, token 3 to the left: other hues.
        Assert.NotEqual((100, 100, 100), Pixel(flow, 4, 9));
        Assert.NotEqual(Pixel(flow, 8, 12), Pixel(flow, 8, 4));
        Assert.Equal((100, 100, 100), Pixel(flow, 0, 0));
        Assert.Equal((100, 100, 100), Pixel(flow, 8, 8));
        Assert.Equal((100, 100, 100), Pixel(MatchDrawing.Flow(s_gray, s_map, every: 2), 4, 4));
        Assert.Throws<ArgumentOutOfRangeException>(() => MatchDrawing.Flow(s_gray, s_map, 0));
    }

    [Fact]
    public void The_pair_marks_the_point_and_its_match()
    {
        var pair = MatchDrawing.Pair(s_gray, s_gray, s_map, new Vector2(3, 3));
        Assert.Equal(((2 * 256) + 24, 256 + 16), (pair.Width, pair.Height));
        Assert.Equal((0, 255, 255), Pixel(pair, 8 + (3 * 16), 8 + (3 * 16)));
        Assert.Equal((0, 255, 255), Pixel(pair, 8 + 264 + (12 * 16), 8 + (4 * 16)));
        Assert.Equal((100, 100, 100), Pixel(pair, 8 + (12 * 16), 8 + (4 * 16)));
    }

    [Fact]
    public void Pictures_of_another_size_and_points_outside_are_refused()
    {
        var other = PixelImage.FromPixels(new byte[16 * 15], 16, 15, PixelFormat.Gray8);
        Assert.Throws<ImageException>(() => MatchDrawing.Heat(other, s_map, Vector2.Zero));
        Assert.Throws<ImageException>(() => MatchDrawing.Flow(other, s_map));
        Assert.Throws<ImageException>(() => MatchDrawing.Pair(s_gray, other, s_map, Vector2.Zero));
        Assert.Throws<ArgumentOutOfRangeException>(() => MatchDrawing.Heat(s_gray, s_map, new Vector2(16, 0)));
    }

    static (int Red, int Green, int Blue) Pixel(PixelImage image, int x, int y)
    {
        var at = ((y * image.Width) + x) * 3;
        return (image.Pixels[at], image.Pixels[at + 1], image.Pixels[at + 2]);
    }
}
