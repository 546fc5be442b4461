using System.Runtime.InteropServices;
using SkiaSharp;

namespace FramePainter.Imaging;

/// <summary>From a file's bytes to a <see cref="PixelImage"/>.</summary>
static unsafe class Decoder
{
    // Deflate's best is 1032 to 1, PNG's smallest pixel one bit: a PNG with fewer bytes than that cannot hold what its header promises.
    const int MaxPngPixelsPerByte = 1032 * 8;

    // Every 8×8 block of a JPEG takes at least one bit.
    const int MaxJpegPixelsPerByte = 64 * 8;

    /// <summary>Decodes a whole PNG, JPEG or WebP file.</summary>
    /// <param name="bytes">The file.</param>
    /// <param name="name">What to call it in errors.</param>
    public static PixelImage Decode(ReadOnlySpan<byte> bytes, string name)
    {
        fixed (byte* start = bytes)
        {
            using var codec = Open(start, bytes.Length, name);
            return Decode(codec, bytes, name);
        }
    }

    /// <summary>Width and height as the header has them.</summary>
    /// <param name="bytes">The file.</param>
    /// <param name="name">What to call it in errors.</param>
    public static (int Width, int Height) SizeOf(ReadOnlySpan<byte> bytes, string name)
    {
        fixed (byte* start = bytes)
        {
            using var codec = Open(start, bytes.Length, name);
            return (codec.Info.Width, codec.Info.Height);
        }
    }

    // The codec holds on to its stream and the stream to its data.
    static SKCodec Open(byte* start, int length, string name)
    {
        using var data = SKData.Create((nint)start, length);
        using var stream = new SKMemoryStream(data);
        return SKCodec.Create(stream, out var result)
            ?? throw new ImageException($"{name} has no readable picture header ({Reason(result)}).");
    }

    static PixelImage Decode(SKCodec codec, ReadOnlySpan<byte> bytes, string name)
    {
        var (width, height) = (codec.Info.Width, codec.Info.Height);
        if (width > PixelImage.MaxSide || height > PixelImage.MaxSide || (long)width * height > PixelImage.MaxPixels)
        {
            throw new ImageException(
                $"{name} is a picture of {width}×{height} pixels, which is too large; sides of up to {PixelImage.MaxSide} and {PixelImage.MaxPixels} pixels in all are accepted.");
        }

        // Told before decoding: the codec would first fill the whole promised picture.
        var pixelsPerByte = codec.EncodedFormat switch
        {
            SKEncodedImageFormat.Png => MaxPngPixelsPerByte,
            SKEncodedImageFormat.Jpeg => MaxJpegPixelsPerByte,
            _ => int.MaxValue,
        };
        if (bytes.Length < (long)width * height / pixelsPerByte)
            throw new ImageException($"{name} cannot be decoded: {Reason(SKCodecResult.IncompleteInput)}.");

        if (codec.FrameCount > 1)
            throw new ImageException($"{name} is animated ({codec.FrameCount} frames); give a single picture.");

        var gray = codec.Info.ColorType == SKColorType.Gray8;
        var opaque = codec.Info.AlphaType == SKAlphaType.Opaque;
        // Without a colour space in the destination the values come as they are.
        var info = new SKImageInfo(
            width, height, gray ? SKColorType.Gray8 : SKColorType.Rgba8888, opaque ? SKAlphaType.Opaque : SKAlphaType.Unpremul, colorspace: null);
        // Zeroed memory is committed as it is written: a header that lies about its size costs address space alone.
        var pixels = NativeMemory.AllocZeroed((nuint)info.BytesSize64);
        try
        {
            var result = codec.GetPixels(info, (nint)pixels);
            if (result != SKCodecResult.Success)
                throw new ImageException($"{name} cannot be decoded: {Reason(result)}.");

            var format = gray ? PixelFormat.Gray8 : opaque ? PixelFormat.Rgb24 : PixelFormat.Rgba32;
            var all = new Span<byte>(pixels, info.BytesSize);
            // Of a PNG the codec does not tell it.
            var origin = codec.EncodedFormat == SKEncodedImageFormat.Png ? Orientation.Of(PngText.DataOf(bytes, "eXIf"u8)) : codec.EncodedOrigin;
            return Orientation.Upright(format == PixelFormat.Rgb24 ? DropAlpha(all) : all, width, height, format, origin);
        }
        finally
        {
            NativeMemory.Free(pixels);
        }
    }

    // In place: pixel i moves from 4i to 3i, never onto one that is still to be read.
    static Span<byte> DropAlpha(Span<byte> pixels)
    {
        var write = 0;
        for (var read = 0; read < pixels.Length; read += 4)
        {
            pixels[write] = pixels[read];
            pixels[write + 1] = pixels[read + 1];
            pixels[write + 2] = pixels[read + 2];
            write += 3;
        }

        return pixels[..write];
    }

    static string Reason(SKCodecResult result) => result switch
    {
        SKCodecResult.IncompleteInput => "the file is truncated",
        SKCodecResult.ErrorInInput or SKCodecResult.InvalidInput => "the file is damaged",
        SKCodecResult.Unimplemented => "the file is damaged or of a variant that is not supported",
        _ => $"the codec says {result}",
    };
}
