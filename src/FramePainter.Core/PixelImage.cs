namespace FramePainter;

/// <summary>
/// An immutable 8-bit picture that owns its pixels: rows from the top without gaps, as <see cref="PixelFormat.Rgb24"/>,
/// <see cref="PixelFormat.Rgba32"/> or <see cref="PixelFormat.Gray8"/>. Values are taken as they are (sRGB in practice); no colour management is done.
/// </summary>
public sealed class PixelImage
{
    /// <summary>The longest side that is accepted, in pixels.</summary>
    public const int MaxSide = 32768;

    /// <summary>The largest area that is accepted, in pixels (2²⁸, so that four channels fit one array).</summary>
    public const int MaxPixels = 1 << 28;

    readonly byte[] _pixels;

    PixelImage(byte[] pixels, int width, int height, PixelFormat format)
    {
        _pixels = pixels;
        Width = width;
        Height = height;
        Format = format;
    }

    /// <summary>Width in pixels, 1 to <see cref="MaxSide"/>.</summary>
    public int Width { get; }

    /// <summary>Height in pixels, 1 to <see cref="MaxSide"/>.</summary>
    public int Height { get; }

    /// <summary>How the pixels are kept: <see cref="PixelFormat.Rgb24"/>, <see cref="PixelFormat.Rgba32"/> or <see cref="PixelFormat.Gray8"/>.</summary>
    public PixelFormat Format { get; }

    /// <summary>The pixels, [Height, Width, channels of <see cref="Format"/>], rows from the top without gaps.</summary>
    public ReadOnlySpan<byte> Pixels => _pixels;

    /// <summary>The same, for work on several threads.</summary>
    internal ReadOnlyMemory<byte> Memory => _pixels;

    /// <summary>Bytes of one pixel: 1, 3 or 4.</summary>
    internal int Channels => BytesPerPixel(Format);

    /// <summary>Copies a picture out of memory. Blue-first formats are turned to red-first.</summary>
    /// <param name="pixels">The pixels, rows from the top; the last row may end without its gap.</param>
    /// <param name="width">Width in pixels, 1 to <see cref="MaxSide"/>.</param>
    /// <param name="height">Height in pixels, 1 to <see cref="MaxSide"/>; width × height is at most <see cref="MaxPixels"/>.</param>
    /// <param name="format">How the bytes of a pixel follow each other.</param>
    /// <param name="stride">Bytes from the beginning of one row to the next; 0 stands for rows without gaps.</param>
    /// <exception cref="ImageException">The size is out of range, the stride is shorter than a row, the span is shorter than the picture, or the format is unknown.</exception>
    public static PixelImage FromPixels(ReadOnlySpan<byte> pixels, int width, int height, PixelFormat format, int stride = 0)
    {
        CheckSize(width, height);
        CheckFormat(format);
        stride = CheckBuffer(pixels.Length, width, height, format, stride);
        var own = format switch
        {
            PixelFormat.Bgr24 => PixelFormat.Rgb24,
            PixelFormat.Bgra32 => PixelFormat.Rgba32,
            _ => format,
        };
        var copy = new byte[width * height * BytesPerPixel(own)];
        var row = width * BytesPerPixel(format);
        for (var y = 0; y < height; y++)
        {
            PixelRows.Convert(pixels.Slice(y * stride, row), format, copy.AsSpan(y * row, row), own);
        }

        return new PixelImage(copy, width, height, own);
    }

    /// <summary>
    /// Copies the picture into memory in any format. Grey becomes equal red, green and blue; colour becomes grey as in <see cref="ToGray"/>;
    /// alpha is dropped where the format has none, and 255 where the picture has none. Gaps between rows are left as they are.
    /// </summary>
    /// <param name="destination">Receives the rows from the top; the last row may end without its gap.</param>
    /// <param name="format">How the bytes of a pixel are to follow each other.</param>
    /// <param name="stride">Bytes from the beginning of one row to the next; 0 stands for rows without gaps.</param>
    /// <exception cref="ImageException">The stride is shorter than a row, the span is shorter than the picture, or the format is unknown.</exception>
    public void CopyTo(Span<byte> destination, PixelFormat format, int stride = 0)
    {
        CheckFormat(format);
        stride = CheckBuffer(destination.Length, Width, Height, format, stride);
        var row = Width * BytesPerPixel(format);
        var own = Width * Channels;
        for (var y = 0; y < Height; y++)
        {
            PixelRows.Convert(_pixels.AsSpan(y * own, own), Format, destination.Slice(y * stride, row), format);
        }
    }

    /// <summary>The picture as <see cref="PixelFormat.Rgb24"/>: alpha is dropped without blending, grey is repeated. An RGB picture is returned as is.</summary>
    public PixelImage ToRgb() => To(PixelFormat.Rgb24);

    /// <summary>
    /// The picture as <see cref="PixelFormat.Gray8"/>, by ITU-R 601 luma in the fixed point that Pillow uses:
    /// <c>(19595 R + 38470 G + 7471 B + 32768) >> 16</c>. Alpha is ignored. A grey picture is returned as is.
    /// </summary>
    public PixelImage ToGray() => To(PixelFormat.Gray8);

    /// <summary>Width, height and format.</summary>
    public override string ToString() => $"{Width}×{Height} {Format}";

    /// <summary>Makes a picture of an array that nobody else will write to.</summary>
    internal static PixelImage Adopt(byte[] pixels, int width, int height, PixelFormat format)
    {
        CheckSize(width, height);
        System.Diagnostics.Debug.Assert(
            format is PixelFormat.Rgb24 or PixelFormat.Rgba32 or PixelFormat.Gray8 && pixels.Length == width * height * BytesPerPixel(format),
            "An adopted array is tight and red-first.");
        return new PixelImage(pixels, width, height, format);
    }

    /// <summary>Refuses sizes that no picture may have, before anything is allocated.</summary>
    internal static void CheckSize(int width, int height)
    {
        if (width < 1 || height < 1)
        {
            throw new ImageException($"A picture of {width}×{height} pixels is empty; both sides must be at least 1.");
        }

        if (width > MaxSide || height > MaxSide || (long)width * height > MaxPixels)
        {
            throw new ImageException($"A picture of {width}×{height} pixels is too large; sides of up to {MaxSide} and {MaxPixels} pixels in all are accepted.");
        }
    }

    internal static int BytesPerPixel(PixelFormat format) => format switch
    {
        PixelFormat.Gray8 => 1,
        PixelFormat.Rgb24 or PixelFormat.Bgr24 => 3,
        _ => 4,
    };

    static void CheckFormat(PixelFormat format)
    {
        if (!Enum.IsDefined(format))
        {
            throw new ImageException($"There is no pixel format {(int)format}; use a named value of {nameof(PixelFormat)}.");
        }
    }

    static int CheckBuffer(int length, int width, int height, PixelFormat format, int stride)
    {
        var row = width * BytesPerPixel(format);
        if (stride == 0)
        {
            stride = row;
        }

        if (stride < row)
        {
            throw new ImageException($"A stride of {stride} bytes is shorter than a row of {width} {format} pixels ({row} bytes).");
        }

        var needed = ((long)stride * (height - 1)) + row;
        if (length < needed)
        {
            throw new ImageException($"A buffer of {length} bytes is too short for {width}×{height} {format} pixels with a stride of {stride} bytes ({needed} bytes).");
        }

        return stride;
    }

    PixelImage To(PixelFormat format)
    {
        if (Format == format)
        {
            return this;
        }

        var pixels = new byte[Width * Height * BytesPerPixel(format)];
        CopyTo(pixels, format);
        return new PixelImage(pixels, Width, Height, format);
    }
}
