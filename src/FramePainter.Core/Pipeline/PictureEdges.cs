namespace FramePainter.Pipeline;

/// <summary>Widens pictures at their right and bottom edges, and cuts them there.</summary>
static class PictureEdges
{
    /// <summary>The picture in the top left corner of a larger one, its last column and then its last row repeated. A picture of this size is returned as is.</summary>
    public static PixelImage Extend(PixelImage image, int width, int height)
    {
        if (image.Width == width && image.Height == height)
        {
            return image;
        }

        var size = image.Channels;
        var own = image.Width * size;
        var row = width * size;
        var pixels = new byte[row * height];
        for (var y = 0; y < image.Height; y++)
        {
            var to = pixels.AsSpan(y * row, row);
            image.Pixels.Slice(y * own, own).CopyTo(to);
            for (var x = own; x < row; x++)
            {
                to[x] = to[x - size];
            }
        }

        var last = pixels.AsSpan((image.Height - 1) * row, row);
        for (var y = image.Height; y < height; y++)
        {
            last.CopyTo(pixels.AsSpan(y * row, row));
        }

        return PixelImage.Adopt(pixels, width, height, image.Format);
    }

    /// <summary>The top left corner of a picture. A picture of this size is returned as is.</summary>
    public static PixelImage Crop(PixelImage image, int width, int height)
    {
        if (image.Width == width && image.Height == height)
        {
            return image;
        }

        return PixelImage.FromPixels(image.Pixels, width, height, image.Format, image.Width * image.Channels);
    }
}
