using System.Numerics;

namespace FramePainter.Imaging;

/// <summary>Pictures of a <see cref="MatchMap"/> (paper, figure 8): where the edit looked in the source.</summary>
public static class MatchDrawing
{
    /// <summary>The attention of one edited point over the source: the source in grey at half its brightness, glowing from red over yellow to white with the share of the strongest token.</summary>
    /// <param name="source">The picture that was edited.</param>
    /// <param name="map">The map of its edit.</param>
    /// <param name="point">A point of the edited picture, in pixels.</param>
    /// <returns>RGB, of the source's size.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The point lies outside the picture.</exception>
    /// <exception cref="ImageException">The source is not of the size of the map's picture.</exception>
    public static PixelImage Heat(PixelImage source, MatchMap map, Vector2 point)
    {
        Check(source, map);
        var heat = map.Heat(point);
        var strongest = 0f;
        foreach (var value in heat)
            strongest = Math.Max(strongest, value);

        var gray = source.ToGray().Pixels;
        var pixels = new byte[source.Width * source.Height * 3];
        for (var i = 0; i < gray.Length; i++)
        {
            var (y, x) = Math.DivRem(i, source.Width);
            var share = heat[map.TokenAt(new Vector2(x + 0.5f, y + 0.5f))] / strongest;
            // Three ramps one after the other: red, then green, then blue.
            for (var c = 0; c < 3; c++)
            {
                var glow = Math.Clamp((3 * share) - c, 0, 1);
                pixels[(i * 3) + c] = (byte)MathF.Round((gray[i] / 2 * (1 - glow)) + (255 * glow));
            }
        }

        return PixelImage.FromPixels(pixels, source.Width, source.Height, PixelFormat.Rgb24);
    }

    /// <summary>The dense flow: on the edited picture, from the middle of every token to where it looks in the source; the near end of each arrow has a dot, its colour tells the direction.</summary>
    /// <param name="edited">The edited picture.</param>
    /// <param name="map">The map of its edit.</param>
    /// <param name="every">One arrow for each square of so many tokens a side, at least 1.</param>
    /// <returns>RGB, of the picture's size.</returns>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="every"/> is less than 1.</exception>
    /// <exception cref="ImageException">The picture is not of the size of the map's picture.</exception>
    public static PixelImage Flow(PixelImage edited, MatchMap map, int every = 1)
    {
        Check(edited, map);
        ArgumentOutOfRangeException.ThrowIfLessThan(every, 1);
        var canvas = Canvas.Of(edited);
        var flow = map.Flow();
        for (var y = every / 2; y < map.Height; y += every)
        {
            for (var x = every / 2; x < map.Width; x += every)
            {
                var middle = (new Vector2(x, y) + new Vector2(0.5f)) * map.TokenSize;
                var way = flow[(y * map.Width) + x];
                var color = ColorOf(way);
                canvas.Line(middle, middle + way, color);
                canvas.Dot(middle, 1, color);
            }
        }

        return canvas.ToPicture();
    }

    /// <summary>The edited picture with a point marked, beside the source's heat map with the best match marked.</summary>
    /// <param name="source">The picture that was edited.</param>
    /// <param name="edited">The edited picture.</param>
    /// <param name="map">The map of the edit.</param>
    /// <param name="point">A point of the edited picture, in pixels.</param>
    /// <returns>A strip as <see cref="SideBySide.Compose"/> makes it.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The point lies outside the picture.</exception>
    /// <exception cref="ImageException">A picture is not of the size of the map's picture.</exception>
    public static PixelImage Pair(PixelImage source, PixelImage edited, MatchMap map, Vector2 point)
    {
        Check(edited, map);
        var heat = Canvas.Of(Heat(source, map, point));
        var left = Canvas.Of(edited);
        var radius = Math.Max(1, Math.Min(source.Width, source.Height) / 64);
        left.Dot(point, radius, Mark);
        heat.Dot(map.Match(point), radius, Mark);
        return SideBySide.Compose(left.ToPicture(), heat.ToPicture());
    }

    static (byte Red, byte Green, byte Blue) Mark => (0, 255, 255);

    static void Check(PixelImage picture, MatchMap map)
    {
        ArgumentNullException.ThrowIfNull(picture);
        ArgumentNullException.ThrowIfNull(map);
        if (new Vector2(picture.Width, picture.Height) != map.PictureSize)
            throw new ImageException($"The picture has {picture.Width}×{picture.Height} pixels, and the map is of one of {map.PictureSize.X}×{map.PictureSize.Y}.");
    }

    /// <summary>A hue for each direction; white for tokens that look at their own place.</summary>
    static (byte Red, byte Green, byte Blue) ColorOf(Vector2 way)
    {
        if (way == Vector2.Zero)
            return (255, 255, 255);

        var hue = MathF.Atan2(way.Y, way.X) / MathF.Tau * 6;
        return (Channel(hue), Channel(hue - 2), Channel(hue - 4));

        // Full for a sixth around its own hue, then falling to nothing.
        static byte Channel(float distance)
        {
            var d = MathF.Abs(MathF.IEEERemainder(distance, 6));
            return (byte)MathF.Round(255 * Math.Clamp(2 - d, 0, 1));
        }
    }

    sealed class Canvas(byte[] pixels, int width, int height)
    {
        public static Canvas Of(PixelImage picture) => new(picture.ToRgb().Pixels.ToArray(), picture.Width, picture.Height);

        public PixelImage ToPicture() => PixelImage.FromPixels(pixels, width, height, PixelFormat.Rgb24);

        /// <summary>A line one pixel wide, without its parts outside.</summary>
        public void Line(Vector2 from, Vector2 to, (byte Red, byte Green, byte Blue) color)
        {
            var steps = Math.Max(1, (int)MathF.Ceiling(Math.Max(MathF.Abs(to.X - from.X), MathF.Abs(to.Y - from.Y))));
            for (var i = 0; i <= steps; i++)
                Dot(Vector2.Lerp(from, to, (float)i / steps), 0, color);
        }

        /// <summary>A filled disc; of radius 0, the one pixel that the point lies in.</summary>
        public void Dot(Vector2 middle, int radius, (byte Red, byte Green, byte Blue) color)
        {
            var (left, top) = ((int)MathF.Floor(middle.X), (int)MathF.Floor(middle.Y));
            for (var y = -radius; y <= radius; y++)
            {
                for (var x = -radius; x <= radius; x++)
                {
                    var (atX, atY) = (left + x, top + y);
                    if ((x * x) + (y * y) > radius * radius || atX < 0 || atY < 0 || atX >= width || atY >= height)
                        continue;

                    var at = ((atY * width) + atX) * 3;
                    (pixels[at], pixels[at + 1], pixels[at + 2]) = color;
                }
            }
        }
    }
}
