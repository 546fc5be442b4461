using SkiaSharp;

namespace FramePainter.Docs.Tests;

/// <summary>The three lines of docs/embedding.md for pictures of another library do what they say.</summary>
public sealed class AdapterTests
{
    [Theory]
    [InlineData(5, 3)]
    [InlineData(64, 17)]
    public void A_bitmap_of_SkiaSharp_goes_there_and_back(int width, int height)
    {
        using var bitmap = new SKBitmap();
        // Rows that do not touch: what a stride is for.
        Assert.True(bitmap.TryAllocPixels(new SKImageInfo(width, height, SKColorType.Bgra8888, SKAlphaType.Opaque), (width * 4) + 12));
        for (var y = 0; y < height; y++)
        {
            for (var x = 0; x < width; x++)
            {
                bitmap.SetPixel(x, y, new SKColor((byte)(x * 3), (byte)(y * 7), (byte)(x + y)));
            }
        }

        var picture = PixelImage.FromPixels(bitmap.GetPixelSpan(), bitmap.Width, bitmap.Height, PixelFormat.Bgra32, bitmap.RowBytes);
        using var back = new SKBitmap(picture.Width, picture.Height, SKColorType.Bgra8888, SKAlphaType.Opaque);
        picture.CopyTo(back.GetPixelSpan(), PixelFormat.Bgra32, back.RowBytes);

        for (var i = 0; i < width * height; i++)
        {
            var (y, x) = Math.DivRem(i, width);
            var expected = new SKColor((byte)(x * 3), (byte)(y * 7), (byte)(x + y));
            Assert.Equal([expected.Red, expected.Green, expected.Blue], picture.ToRgb().Pixels.Slice(i * 3, 3).ToArray());
            Assert.Equal(expected, back.GetPixel(x, y));
        }
    }
}
