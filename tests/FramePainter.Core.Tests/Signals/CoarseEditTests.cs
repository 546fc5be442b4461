using System.Numerics;
using FramePainter.Core.Tests.Support;

namespace FramePainter.Core.Tests.Signals;

/// <summary>Regions cut out and moved.</summary>
public sealed class CoarseEditTests
{
    static readonly PixelImage s_picture = Pictures.Random(12, 9, PixelFormat.Rgb24);

    [Fact]
    public void Whole_pixels_move_as_they_are_and_leave_black_behind()
    {
        var moved = CoarseEdit.Move(s_picture, Mask(2, 1, 3, 4), Matrix3x2.CreateTranslation(5, 2));
        for (var y = 0; y < 9; y++)
        {
            for (var x = 0; x < 12; x++)
            {
                var expected = x is >= 7 and < 10 && y is >= 3 and < 7 ? At(s_picture, x - 5, y - 2)
                    : x is >= 2 and < 5 && y is >= 1 and < 5 ? [0, 0, 0] : At(s_picture, x, y);
                Assert.Equal(expected, At(moved, x, y));
            }
        }
    }

    [Fact]
    public void Where_a_region_lands_on_its_own_hole_there_is_no_hole()
    {
        var moved = CoarseEdit.Move(s_picture, Mask(2, 1, 3, 4), Matrix3x2.CreateTranslation(1, 0));
        Assert.Equal([0, 0, 0], At(moved, 2, 1));
        Assert.Equal(At(s_picture, 2, 1), At(moved, 3, 1));
        Assert.Equal(At(s_picture, 4, 1), At(moved, 5, 1));
    }

    [Fact]
    public void Standing_still_changes_nothing() =>
        Assert.Equal(s_picture.Pixels.ToArray(), CoarseEdit.Move(s_picture, Mask(0, 0, 12, 9), Matrix3x2.Identity).Pixels.ToArray());

    [Fact]
    public void Half_a_pixel_averages_neighbours()
    {
        var moved = CoarseEdit.Move(s_picture, Mask(2, 1, 3, 4), Matrix3x2.CreateTranslation(0.5f, 0));
        var expected = At(s_picture, 2, 2).Zip(At(s_picture, 3, 2), (a, b) => (a + b) / 2.0);
        Assert.All(At(moved, 3, 2).Zip(expected), p => Assert.InRange(p.First, p.Second - 0.5001, p.Second + 0.5001));
        // At its rim the region outweighs the picture beneath though it covers but half of a pixel.
        Assert.Equal(At(s_picture, 4, 2), At(moved, 5, 2));
    }

    [Theory]
    [InlineData(2.5f)]
    [InlineData(7)]
    public void An_enlarged_region_has_no_gaps(float scale)
    {
        var white = Pictures.Constant(40, 40, PixelFormat.Rgb24, 200, 100, 50);
        var mask = new byte[1600];
        for (var i = 0; i < 16; i++)
        {
            mask[((18 + (i / 4)) * 40) + 18 + (i % 4)] = 255;
        }

        var turn = Matrix3x2.CreateScale(scale, new Vector2(20)) * Matrix3x2.CreateRotation(0.4f, new Vector2(20));
        var moved = CoarseEdit.Move(white, PixelImage.FromPixels(mask, 40, 40, PixelFormat.Gray8), turn);
        Assert.Equal(white.Pixels.ToArray(), moved.Pixels.ToArray());
    }

    [Fact]
    public void Grey_of_the_mask_shares_a_pixel_between_both_places()
    {
        var mask = new byte[12 * 9];
        mask[0] = 128;
        var moved = CoarseEdit.Move(s_picture, PixelImage.FromPixels(mask, 12, 9, PixelFormat.Gray8), Matrix3x2.CreateTranslation(3, 0));
        Assert.Equal(At(s_picture, 0, 0), At(moved, 0, 0));
        var z = 128 / 255.0 * Math.Exp(20 * 128 / 255.0);
        for (var c = 0; c < 3; c++)
        {
            Assert.InRange(At(moved, 3, 0)[c] - (((z * At(s_picture, 0, 0)[c]) + At(s_picture, 3, 0)[c]) / (z + 1)), -0.501, 0.501);
        }
    }

    [Fact]
    public void Parts_beyond_the_picture_are_cut_off_and_wholly_lost_regions_refused()
    {
        var moved = CoarseEdit.Move(s_picture, Mask(8, 0, 4, 4), Matrix3x2.CreateTranslation(3, 0));
        Assert.Equal(At(s_picture, 8, 0), At(moved, 11, 0));
        Assert.Throws<SignalException>(() => CoarseEdit.Move(s_picture, Mask(8, 0, 4, 4), Matrix3x2.CreateTranslation(4, 0)));
    }

    [Fact]
    public void What_cannot_be_moved_is_named()
    {
        var mask = Mask(2, 1, 3, 4);
        Assert.Throws<SignalException>(() => CoarseEdit.Move(s_picture, Pictures.Constant(12, 9, PixelFormat.Gray8, 0), Matrix3x2.Identity));
        Assert.Throws<SignalException>(() => CoarseEdit.Move(s_picture, Pictures.Constant(9, 12, PixelFormat.Gray8, 255), Matrix3x2.Identity));
        Assert.Throws<SignalException>(() => CoarseEdit.Move(s_picture, mask, Matrix3x2.CreateTranslation(float.NaN, 0)));
        Assert.Throws<SignalException>(() => CoarseEdit.Move(s_picture, mask, Matrix3x2.CreateScale(float.PositiveInfinity)));
        Assert.Throws<SignalException>(() => CoarseEdit.Move(s_picture, mask, Matrix3x2.CreateScale(1, 0)));
        Assert.Throws<SignalException>(() => CoarseEdit.Move(s_picture, mask, Matrix3x2.CreateScale(17)));
        Assert.Throws<SignalException>(() => CoarseEdit.Move(s_picture, mask, Matrix3x2.CreateTranslation(-1e30f, 0)));
    }

    static PixelImage Mask(int left, int top, int width, int height)
    {
        var mask = new byte[12 * 9];
        for (var y = top; y < top + height; y++)
        {
            mask.AsSpan((y * 12) + left, width).Fill(255);
        }

        return PixelImage.FromPixels(mask, 12, 9, PixelFormat.Gray8);
    }

    static byte[] At(PixelImage picture, int x, int y) => picture.Pixels.Slice(((y * picture.Width) + x) * 3, 3).ToArray();
}
