using SkiaSharp;

namespace FramePainter.Imaging;

/// <summary>Many small pictures in rows and columns, such as the pairs of an evaluation.</summary>
public static unsafe class ContactSheet
{
    const int Margin = 4;

    /// <summary>
    /// Lays rows of pictures on white, each picture as large as fits its square cell: enlarged by a whole factor with each pixel a
    /// square, or shrunk smoothly. Transparent parts show black, which is what a sketch stands on.
    /// </summary>
    /// <param name="rows">Rows from the top, each with its pictures from the left; they may differ in length.</param>
    /// <param name="cell">Side of a cell in pixels, 16 to 1024.</param>
    /// <returns>The sheet, RGB, with margins of 4 pixels.</returns>
    /// <exception cref="ArgumentException">There is no picture.</exception>
    /// <exception cref="OptionException">The cell is out of range.</exception>
    /// <exception cref="ImageException">The sheet would be larger than a <see cref="PixelImage"/> may be.</exception>
    public static PixelImage Compose(IReadOnlyList<IReadOnlyList<PixelImage>> rows, int cell)
    {
        ArgumentNullException.ThrowIfNull(rows);
        if (cell is < 16 or > 1024)
            throw new OptionException(nameof(cell), $"A cell of {cell} pixels is out of range; 16 to 1024 is accepted.");

        var columns = rows.Count == 0 ? 0 : rows.Max(r => r.Count);
        if (columns == 0)
            throw new ArgumentException("A sheet needs at least one picture.", nameof(rows));

        var (width, height) = (Margin + ((long)columns * (cell + Margin)), Margin + ((long)rows.Count * (cell + Margin)));
        if (width > PixelImage.MaxSide || height > PixelImage.MaxSide || width * height > PixelImage.MaxPixels)
            throw new ImageException($"A sheet of {width}×{height} pixels is too large; take fewer pictures or smaller cells.");

        using var sheet = new SKBitmap(new SKImageInfo((int)width, (int)height, SKColorType.Rgba8888, SKAlphaType.Opaque));
        using (var canvas = new SKCanvas(sheet))
        {
            canvas.Clear(SKColors.White);
            for (var y = 0; y < rows.Count; y++)
            {
                for (var x = 0; x < rows[y].Count; x++)
                    Draw(canvas, rows[y][x], Margin + (x * (cell + Margin)), Margin + (y * (cell + Margin)), cell);
            }
        }

        return PixelImage.FromPixels(sheet.GetPixelSpan(), sheet.Width, sheet.Height, PixelFormat.Rgba32, sheet.RowBytes).ToRgb();
    }

    static void Draw(SKCanvas canvas, PixelImage picture, int left, int top, int cell)
    {
        var pixels = new byte[picture.Width * picture.Height * 4];
        picture.CopyTo(pixels, PixelFormat.Rgba32);
        fixed (byte* address = pixels)
        {
            var info = new SKImageInfo(picture.Width, picture.Height, SKColorType.Rgba8888, SKAlphaType.Unpremul);
            using var image = SKImage.FromPixelCopy(info, (nint)address);
            var longer = Math.Max(picture.Width, picture.Height);
            var scale = longer <= cell ? cell / longer : (float)cell / longer;
            var (width, height) = (MathF.Max(picture.Width * scale, 1), MathF.Max(picture.Height * scale, 1));
            var place = SKRect.Create(left + MathF.Floor((cell - width) / 2), top + MathF.Floor((cell - height) / 2), width, height);
            using var black = new SKPaint { Color = SKColors.Black };
            canvas.DrawRect(place, black);
            var sampling = longer <= cell ? new SKSamplingOptions(SKFilterMode.Nearest) : new SKSamplingOptions(SKFilterMode.Linear, SKMipmapMode.Linear);
            canvas.DrawImage(image, place, sampling);
        }
    }
}
