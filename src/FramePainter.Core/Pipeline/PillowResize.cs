using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using FramePainter.Tensors;

namespace FramePainter.Pipeline;

/// <summary>
/// Resizes 8-bit pictures bit for bit as Pillow does: rows first, rounded to 8 bits, then columns; weights in fixed point.
/// An axis that keeps its size is not touched. Colours are weighted by alpha where there is one.
/// </summary>
public static class PillowResize
{
    /// <summary>Resizes a picture.</summary>
    /// <param name="image">Any picture.</param>
    /// <param name="width">Width of the result.</param>
    /// <param name="height">Height of the result.</param>
    /// <param name="filter">The kernel.</param>
    /// <returns>The result in the picture's format; the picture itself if it has this size already.</returns>
    /// <exception cref="ImageException">The size is out of range, or that between the passes is (the new width by the old height).</exception>
    public static PixelImage Resize(PixelImage image, int width, int height, ResizeFilter filter) => Resize(image, width, height, filter, threads: 1);

    /// <summary>The same, by several threads.</summary>
    internal static PixelImage Resize(PixelImage image, int width, int height, ResizeFilter filter, int threads)
    {
        PixelImage.CheckSize(width, height);
        if (image.Width == width && image.Height == height)
        {
            return image;
        }

        var channels = image.Channels;
        var hasAlpha = image.Format == PixelFormat.Rgba32;
        ReadOnlyMemory<byte> pixels = hasAlpha ? AlphaWeighting.Multiply(image.Pixels) : image.Memory;
        byte[] resized = [];
        if (image.Width != width)
        {
            PixelImage.CheckSize(width, image.Height);
            pixels = resized = ResizeRows(pixels, image.Width, image.Height, width, channels, filter, threads);
        }

        if (image.Height != height)
        {
            resized = ResizeColumns(pixels, width * channels, image.Height, height, filter, threads);
        }

        return PixelImage.Adopt(hasAlpha ? AlphaWeighting.Divide(resized) : resized, width, height, image.Format);
    }

    static byte[] ResizeRows(ReadOnlyMemory<byte> source, int width, int height, int toWidth, int channels, ResizeFilter filter, int threads)
    {
        var taps = new ResizeTaps(width, toWidth, filter, Vector128<int>.Count);
        var result = new byte[toWidth * height * channels];
        RowWork.Run(height, threads, (first, end) =>
        {
            for (var y = first; y < end; y++)
            {
                var row = source.Span.Slice(y * width * channels, width * channels);
                var toRow = result.AsSpan(y * toWidth * channels, toWidth * channels);
                switch (channels)
                {
                    case 1:
                        ResizeRow1(row, toRow, taps);
                        break;
                    case 3:
                        ResizeRow3(row, toRow, taps);
                        break;
                    default:
                        ResizeRow4(row, toRow, taps);
                        break;
                }
            }
        });
        return result;
    }

    static void ResizeRow1(ReadOnlySpan<byte> row, Span<byte> toRow, ResizeTaps taps)
    {
        for (var x = 0; x < toRow.Length; x++)
        {
            var weights = taps.At(x, out var first);
            var pixels = row.Slice(first, weights.Length);
            var sums = Vector128<int>.Zero;
            var t = 0;
            for (; t <= weights.Length - Vector128<int>.Count; t += Vector128<int>.Count)
            {
                var four = Vector128.CreateScalarUnsafe(MemoryMarshal.Read<uint>(pixels[t..])).AsByte();
                sums += Vector128.WidenLower(Vector128.WidenLower(four)).AsInt32() * Vector128.Create(weights[t..]);
            }

            var sum = ResizeTaps.Half + Vector128.Sum(sums);
            for (; t < pixels.Length; t++)
            {
                sum += weights[t] * pixels[t];
            }

            toRow[x] = ResizeTaps.ToPixel(sum);
        }
    }

    static void ResizeRow3(ReadOnlySpan<byte> row, Span<byte> toRow, ResizeTaps taps)
    {
        var results = MemoryMarshal.Cast<byte, Rgb>(toRow);
        for (var x = 0; x < results.Length; x++)
        {
            var weights = taps.At(x, out var first);
            var pixels = row.Slice(first * 3, weights.Length * 3);
            Vector128<int> reds = default, greens = default, blues = default;
            var t = 0;
            for (; t <= weights.Length - Vector128<int>.Count; t += Vector128<int>.Count)
            {
                var near = pixels.Slice(3 * t, 12);
                var four = Vector128.Create(MemoryMarshal.Read<ulong>(near), MemoryMarshal.Read<uint>(near[8..])).AsByte();
                var weight = Vector128.Create(weights[t..]);
                reds += EveryThird(four, 0) * weight;
                greens += EveryThird(four, 1) * weight;
                blues += EveryThird(four, 2) * weight;
            }

            int r = ResizeTaps.Half + Vector128.Sum(reds), g = ResizeTaps.Half + Vector128.Sum(greens), b = ResizeTaps.Half + Vector128.Sum(blues);
            for (; t < weights.Length; t++)
            {
                r += weights[t] * pixels[3 * t];
                g += weights[t] * pixels[(3 * t) + 1];
                b += weights[t] * pixels[(3 * t) + 2];
            }

            results[x] = new(ResizeTaps.ToPixel(r), ResizeTaps.ToPixel(g), ResizeTaps.ToPixel(b));
        }
    }

    static void ResizeRow4(ReadOnlySpan<byte> row, Span<byte> toRow, ResizeTaps taps)
    {
        var pixels = MemoryMarshal.Cast<byte, uint>(row);
        for (var x = 0; x < toRow.Length / 4; x++)
        {
            var weights = taps.At(x, out var first);
            var near = pixels.Slice(first, weights.Length);
            var sums = Vector128.Create(ResizeTaps.Half);
            for (var t = 0; t < near.Length; t++)
            {
                sums += Vector128.WidenLower(Vector128.WidenLower(Vector128.CreateScalarUnsafe(near[t]).AsByte())).AsInt32() * weights[t];
            }

            for (var c = 0; c < 4; c++)
            {
                toRow[(4 * x) + c] = ResizeTaps.ToPixel(sums[c]);
            }
        }
    }

    /// <summary>A colour of four pixels of three bytes each, widened. Indexes beyond the last lane give zeros.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static Vector128<int> EveryThird(Vector128<byte> pixels, byte colour)
    {
        const byte No = byte.MaxValue;
        var places = colour switch
        {
            0 => Vector128.Create(0, No, No, No, 3, No, No, No, 6, No, No, No, 9, No, No, No),
            1 => Vector128.Create(1, No, No, No, 4, No, No, No, 7, No, No, No, 10, No, No, No),
            _ => Vector128.Create(2, No, No, No, 5, No, No, No, 8, No, No, No, 11, No, No, No),
        };
        return Vector128.Shuffle(pixels, places).AsInt32();
    }

    static byte[] ResizeColumns(ReadOnlyMemory<byte> source, int rowBytes, int height, int toHeight, ResizeFilter filter, int threads)
    {
        var taps = new ResizeTaps(height, toHeight, filter);
        var result = new byte[rowBytes * toHeight];
        RowWork.Run(toHeight, threads, (top, end) =>
        {
            for (var y = top; y < end; y++)
            {
                var weights = taps.At(y, out var first);
                WeighRows(source.Span.Slice(first * rowBytes, weights.Length * rowBytes), weights, result.AsSpan(y * rowBytes, rowBytes));
            }
        });
        return result;
    }

    /// <summary>One row of the result: the weighted sum of as many rows as there are weights.</summary>
    static void WeighRows(ReadOnlySpan<byte> rows, ReadOnlySpan<int> weights, Span<byte> result)
    {
        var lanes = Vector<byte>.Count;
        var x = 0;
        for (; x <= result.Length - lanes; x += lanes)
        {
            Vector<int> a = new(ResizeTaps.Half), b = a, c = a, d = a;
            for (var t = 0; t < weights.Length; t++)
            {
                var weight = weights[t];
                Vector.Widen(new Vector<byte>(rows[((t * result.Length) + x)..]), out var low, out var high);
                Vector.Widen(low, out var p, out var q);
                Vector.Widen(high, out var r, out var s);
                a += Vector.AsVectorInt32(p) * weight;
                b += Vector.AsVectorInt32(q) * weight;
                c += Vector.AsVectorInt32(r) * weight;
                d += Vector.AsVectorInt32(s) * weight;
            }

            Vector.Narrow(Vector.Narrow(ToPixels(a), ToPixels(b)), Vector.Narrow(ToPixels(c), ToPixels(d))).CopyTo(result[x..]);
        }

        for (; x < result.Length; x++)
        {
            var sum = ResizeTaps.Half;
            for (var t = 0; t < weights.Length; t++)
            {
                sum += weights[t] * rows[(t * result.Length) + x];
            }

            result[x] = ResizeTaps.ToPixel(sum);
        }
    }

    static Vector<uint> ToPixels(Vector<int> sums) =>
        Vector.AsVectorUInt32(Vector.Min(Vector.Max(sums >> ResizeTaps.FractionBits, Vector<int>.Zero), new Vector<int>(byte.MaxValue)));

    readonly record struct Rgb(byte R, byte G, byte B);
}
