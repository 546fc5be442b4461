using FsCheck.Fluent;
using FsCheck.Xunit;

namespace FramePainter.Imaging.Tests;

public sealed class RoundTripTests
{
    [Property(MaxTest = 60)]
    public FsCheck.Property Png_keeps_every_value_of_grey_RGB_and_unpremultiplied_RGBA() => Prop.ForAll(
        (from width in Gen.Choose(1, 70)
         from height in Gen.Choose(1, 40)
         from format in Gen.Elements(PixelFormat.Gray8, PixelFormat.Rgb24, PixelFormat.Rgba32)
         from seed in Gen.Choose(0, 1 << 20)
         select Pictures.Noise(width, height, format, seed)).ToArbitrary(),
        image => AssertSame(image, ImageFile.Load(Pictures.Encode(image, ImageFormat.Png))));

    [Theory]
    [InlineData(PixelFormat.Gray8, 1, 1)]
    [InlineData(PixelFormat.Rgb24, 1, 300)]
    [InlineData(PixelFormat.Rgba32, 301, 1)]
    public void Png_keeps_odd_sizes(PixelFormat format, int width, int height)
    {
        var image = Pictures.Noise(width, height, format);
        AssertSame(image, ImageFile.Load(Pictures.Encode(image, ImageFormat.Png)));
    }

    [Fact]
    public void Colour_under_transparent_pixels_survives_PNG()
    {
        var image = PixelImage.FromPixels([200, 100, 50, 0, 10, 20, 30, 1, 255, 254, 253, 128], 3, 1, PixelFormat.Rgba32);
        AssertSame(image, ImageFile.Load(Pictures.Encode(image, ImageFormat.Png)));
    }

    [Fact]
    public void Lossless_WebP_keeps_every_value_of_an_opaque_picture()
    {
        var image = Pictures.Noise(33, 17, PixelFormat.Rgb24);
        AssertSame(image, ImageFile.Load(Pictures.Encode(image, ImageFormat.WebPLossless)));
    }

    [Theory]
    [InlineData(ImageFormat.Jpeg)]
    [InlineData(ImageFormat.WebP)]
    public void Lossy_formats_stay_close_and_worsen_with_quality(ImageFormat format)
    {
        var image = Pictures.Gradient(96, 64);
        var good = Pictures.Encode(image, format, 95);
        var poor = Pictures.Encode(image, format, 5);
        Assert.True(poor.Length < good.Length);
        Assert.True(MeanError(image, ImageFile.Load(good)) < 2);
        Assert.True(MeanError(image, ImageFile.Load(poor)) > MeanError(image, ImageFile.Load(good)));
    }

    [Fact]
    public void A_grey_JPEG_comes_back_grey() =>
        Assert.Equal(PixelFormat.Gray8, ImageFile.Load(Pictures.Encode(Pictures.Gradient(16, 16).ToGray(), ImageFormat.Jpeg)).Format);

    [Theory]
    [InlineData(1, "AB/CD")]
    [InlineData(2, "BA/DC")]
    [InlineData(3, "DC/BA")]
    [InlineData(4, "CD/AB")]
    [InlineData(5, "AC/BD")]
    [InlineData(6, "CA/DB")]
    [InlineData(7, "DB/CA")]
    [InlineData(8, "BD/AC")]
    public void Exif_orientation_is_applied(byte orientation, string expected)
    {
        // Four quarters of a 32×16 picture in four grey levels.
        var stored = new byte[32 * 16];
        for (var i = 0; i < stored.Length; i++)
            stored[i] = (byte)(32 + (64 * ((i % 32 / 16) + (2 * (i / 32 / 8)))));

        var picture = PixelImage.FromPixels(stored, 32, 16, PixelFormat.Gray8);
        var (jpeg, png) = (Pictures.Encode(picture, ImageFormat.Jpeg, 100), Pictures.Encode(picture, ImageFormat.Png));
        AssertUpright(Pictures.WithOrientation(jpeg, orientation));
        AssertUpright(Pictures.WithExif(png, Pictures.Exif(orientation)));
        AssertUpright(Pictures.WithExif(png, Pictures.Exif(orientation, little: true)));

        void AssertUpright(byte[] file)
        {
            var upright = ImageFile.Load(file);
            Assert.Equal(orientation >= 5 ? (16, 32) : (32, 16), (upright.Width, upright.Height));
            char Quarter(int column, int row) =>
                (char)('A' + (upright.Pixels[(((row * upright.Height / 2) + 3) * upright.Width) + (column * upright.Width / 2) + 3] / 64));
            Assert.Equal(expected, $"{Quarter(0, 0)}{Quarter(1, 0)}/{Quarter(0, 1)}{Quarter(1, 1)}");
        }
    }

    [Fact]
    public void Damaged_Exif_in_a_PNG_leaves_the_picture_as_it_is_stored()
    {
        var picture = Pictures.Noise(5, 3, PixelFormat.Gray8);
        var png = Pictures.Encode(picture, ImageFormat.Png);
        var exif = Pictures.Exif(6);
        for (var length = 0; length < 20; length++)
            AssertSame(picture, ImageFile.Load(Pictures.WithExif(png, exif.AsSpan(0, length))));

        foreach (byte none in (byte[])[0, 9, 255])
            AssertSame(picture, ImageFile.Load(Pictures.WithExif(png, Pictures.Exif(none))));

        exif.AsSpan(4, 4).Fill(0xFF);
        AssertSame(picture, ImageFile.Load(Pictures.WithExif(png, exif)));
    }

    static void AssertSame(PixelImage expected, PixelImage actual)
    {
        Assert.Equal((expected.Width, expected.Height, expected.Format), (actual.Width, actual.Height, actual.Format));
        Assert.True(expected.Pixels.SequenceEqual(actual.Pixels));
    }

    static double MeanError(PixelImage a, PixelImage b)
    {
        Assert.Equal((a.Width, a.Height, a.Format), (b.Width, b.Height, b.Format));
        var sum = 0L;
        for (var i = 0; i < a.Pixels.Length; i++)
            sum += Math.Abs(a.Pixels[i] - b.Pixels[i]);

        return (double)sum / a.Pixels.Length;
    }
}
