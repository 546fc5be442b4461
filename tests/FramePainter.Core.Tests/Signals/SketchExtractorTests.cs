using System.Numerics;
using FramePainter.Core.Tests.Support;

namespace FramePainter.Core.Tests.Signals;

/// <summary>Sketches made of pictures and flows.</summary>
public sealed class SketchExtractorTests
{
    [Fact]
    public void A_step_gives_two_columns_of_full_edges()
    {
        var pixels = new byte[6 * 4];
        for (var i = 0; i < pixels.Length; i++)
        {
            pixels[i] = i % 6 < 3 ? (byte)10 : (byte)90;
        }

        var sketch = SketchExtractor.FromPicture(PixelImage.FromPixels(pixels, 6, 4, PixelFormat.Gray8));
        Assert.Equal([0, 0, 255, 255, 0, 0], sketch.Pixels[..6].ToArray());
        Assert.Equal([0, 0, 255, 255, 0, 0], sketch.Pixels[18..].ToArray());
    }

    [Fact]
    public void A_spot_gives_the_lengths_of_the_Sobel_gradient()
    {
        var pixels = new byte[25];
        pixels[12] = 100;
        var sketch = SketchExtractor.FromPicture(PixelImage.FromPixels(pixels, 5, 5, PixelFormat.Gray8), 0);
        // Beside the spot the gradient is 2·100, at its corners 100·√2, on it 0.
        var corner = (byte)Math.Round(255 / Math.Sqrt(2));
        Assert.Equal([0, 0, 0, 0, 0, 0, corner, 255, corner, 0, 0, 255, 0, 255, 0, 0, corner, 255, corner, 0, 0, 0, 0, 0, 0], sketch.Pixels.ToArray());
        Assert.DoesNotContain(corner, SketchExtractor.FromPicture(PixelImage.FromPixels(pixels, 5, 5, PixelFormat.Gray8), 0.8f).Pixels.ToArray());
    }

    [Fact]
    public void A_flat_picture_has_no_edges() =>
        Assert.All(SketchExtractor.FromPicture(Pictures.Constant(7, 5, PixelFormat.Rgb24, 9, 8, 7)).Pixels.ToArray(), p => Assert.Equal(0, p));

    [Fact]
    public void The_flow_of_a_moved_square_gives_its_border_whichever_way_it_moves()
    {
        foreach (var move in new Vector2[] { new(3, 0), new(0, -3), new(0.2f, 0.1f) })
        {
            var flow = new Vector2[100];
            for (var i = 0; i < 100; i++)
            {
                flow[i] = i % 10 is >= 3 and < 7 && i / 10 is >= 3 and < 7 ? move : Vector2.Zero;
            }

            var sketch = SketchExtractor.FromFlow(flow, 10, 10, 0.5f).Pixels;
            for (var i = 0; i < 100; i++)
            {
                var ring = Math.Max(Math.Abs((i % 10) - 4.5), Math.Abs((i / 10) - 4.5));
                if (ring is < 1 or > 3)
                {
                    Assert.Equal(0, sketch[i]);
                }
            }

            // Sides have a gradient of 4 times the move, corners one of √(3² + 3²), which is the longest.
            Assert.Equal((byte)Math.Round(255 * 4 / Math.Sqrt(18)), sketch[(3 * 10) + 4]);
            Assert.Equal(255, sketch[(3 * 10) + 3]);
        }
    }

    [Fact]
    public void What_cannot_be_used_is_named()
    {
        var picture = Pictures.Random(4, 4, PixelFormat.Rgb24);
        Assert.Throws<SignalException>(() => SketchExtractor.FromPicture(picture, float.NaN));
        Assert.Throws<SignalException>(() => SketchExtractor.FromPicture(picture, 1.1f));
        Assert.Throws<SignalException>(() => SketchExtractor.FromFlow(new Vector2[15], 4, 4));
        Assert.Contains("column 1, row 2", Assert.Throws<SignalException>(() => { var flow = new Vector2[16]; flow[9] = new(float.NaN, 0); SketchExtractor.FromFlow(flow, 4, 4); }).Message, StringComparison.Ordinal);
        Assert.Throws<ImageException>(() => SketchExtractor.FromFlow([], 0, 4));
    }
}
