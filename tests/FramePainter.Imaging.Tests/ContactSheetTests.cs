namespace FramePainter.Imaging.Tests;

public sealed class ContactSheetTests
{
    [Fact]
    public void Small_pictures_are_enlarged_by_whole_pixels_and_laid_in_their_cells()
    {
        var red = Flat(10, 5, 200, 0, 0);
        var sheet = ContactSheet.Compose([[red, red], [red]], 32);
        Assert.Equal((4 + (2 * 36), 4 + (2 * 36), PixelFormat.Rgb24), (sheet.Width, sheet.Height, sheet.Format));

        // 32/10 is 3: a picture of 30×15 in the middle of its cell.
        Assert.Equal((200, 0, 0), At(sheet, 4 + 1, 4 + 8));
        Assert.Equal((200, 0, 0), At(sheet, 4 + 30, 4 + 22));
        Assert.Equal((255, 255, 255), At(sheet, 4, 4 + 8));
        Assert.Equal((255, 255, 255), At(sheet, 4 + 31, 4 + 22));
        Assert.Equal((255, 255, 255), At(sheet, 4 + 1, 4 + 7));
        Assert.Equal((200, 0, 0), At(sheet, 40 + 15, 4 + 15));
        Assert.Equal((200, 0, 0), At(sheet, 4 + 15, 40 + 15));
        Assert.Equal((255, 255, 255), At(sheet, 40 + 15, 40 + 15));
    }

    [Fact]
    public void Large_pictures_are_shrunk_without_skipping_pixels()
    {
        // Columns of black and white: every pixel of the small one must be near their mean.
        var stripes = new byte[128 * 64];
        for (var i = 0; i < stripes.Length; i++)
            stripes[i] = (byte)(i % 2 * 255);

        var sheet = ContactSheet.Compose([[PixelImage.FromPixels(stripes, 128, 64, PixelFormat.Gray8)]], 32);
        Assert.InRange(At(sheet, 4 + 16, 4 + 16).R, 110, 145);
        Assert.Equal((255, 255, 255), At(sheet, 4 + 16, 4 + 4));
    }

    [Fact]
    public void Transparent_parts_are_black() =>
        Assert.Equal((0, 0, 0), At(ContactSheet.Compose([[PixelImage.FromPixels(new byte[16 * 16 * 4], 16, 16, PixelFormat.Rgba32)]], 16), 10, 10));

    [Fact]
    public void What_cannot_be_laid_out_is_refused()
    {
        Assert.Throws<ArgumentException>(() => ContactSheet.Compose([], 32));
        Assert.Throws<ArgumentException>(() => ContactSheet.Compose([[], []], 32));
        Assert.Throws<OptionException>(() => ContactSheet.Compose([[Flat(1, 1, 0, 0, 0)]], 15));
        Assert.Throws<ImageException>(() => ContactSheet.Compose([.. Enumerable.Repeat<IReadOnlyList<PixelImage>>([Flat(1, 1, 0, 0, 0)], 40)], 1024));
    }

    static PixelImage Flat(int width, int height, byte r, byte g, byte b) =>
        PixelImage.FromPixels([.. Enumerable.Range(0, width * height).SelectMany(_ => new[] { r, g, b })], width, height, PixelFormat.Rgb24);

    static (byte R, byte G, byte B) At(PixelImage image, int x, int y)
    {
        var pixel = image.Pixels.Slice(((y * image.Width) + x) * 3, 3);
        return (pixel[0], pixel[1], pixel[2]);
    }
}
