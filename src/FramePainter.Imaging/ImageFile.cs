namespace FramePainter.Imaging;

/// <summary>
/// Reads PNG, JPEG and WebP pictures and writes them. Values are taken as they are in the file (no colour management, as in Pillow);
/// 16-bit channels are cut to 8. EXIF orientation is applied, so the picture comes upright.
/// </summary>
public static class ImageFile
{
    /// <summary>Quality of lossy formats where none is given, out of 100.</summary>
    public const int DefaultQuality = 95;

    /// <summary>Reads a picture file.</summary>
    /// <param name="path">A PNG, JPEG or WebP file; the content decides, not the name.</param>
    /// <returns>Grey, RGB, or RGBA with unpremultiplied alpha, as the file has it.</returns>
    /// <exception cref="ImageException">The file is no picture, of another format, animated, truncated, damaged, or larger than <see cref="PixelImage"/> allows (told from its header, before decoding).</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    /// <exception cref="UnauthorizedAccessException">The file may not be read.</exception>
    public static PixelImage Load(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        // Told here because the system's own answer to opening a folder is "access denied".
        if (Directory.Exists(path))
            throw new ImageException($"'{path}' is a folder, not a picture file.");

        using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 1);
        return Load(stream, $"'{path}'");
    }

    /// <summary>Reads a picture from a stream, from its position to its end. The stream stays open.</summary>
    /// <param name="stream">The bytes of a PNG, JPEG or WebP file; it need not be able to seek.</param>
    /// <returns>Grey, RGB, or RGBA with unpremultiplied alpha, as the file has it.</returns>
    /// <exception cref="ImageException">As for <see cref="Load(string)"/>.</exception>
    /// <exception cref="IOException">The stream cannot be read.</exception>
    public static PixelImage Load(Stream stream)
    {
        ArgumentNullException.ThrowIfNull(stream);
        return Load(stream, "The stream");
    }

    /// <summary>Reads a picture from memory.</summary>
    /// <param name="bytes">The bytes of a PNG, JPEG or WebP file.</param>
    /// <returns>Grey, RGB, or RGBA with unpremultiplied alpha, as the file has it.</returns>
    /// <exception cref="ImageException">As for <see cref="Load(string)"/>.</exception>
    public static PixelImage Load(ReadOnlySpan<byte> bytes)
    {
        const string Name = "The buffer";
        Signature.Check(bytes, Name);
        return Decoder.Decode(bytes, Name);
    }

    /// <summary>Reads a picture's size off its header, without decoding it: for whoever takes pictures from strangers.</summary>
    /// <param name="bytes">The bytes of a PNG, JPEG or WebP file.</param>
    /// <returns>Width and height in pixels as stored: before the orientation that a camera noted.</returns>
    /// <exception cref="ImageException">The bytes begin no picture, or its header is damaged.</exception>
    public static (int Width, int Height) SizeOf(ReadOnlySpan<byte> bytes)
    {
        const string Name = "The buffer";
        Signature.Check(bytes, Name);
        return Decoder.SizeOf(bytes, Name);
    }

    /// <summary>
    /// Writes a picture file, in the format that the name's ending tells (.png, .jpg, .jpeg, .webp). The file is written beside its
    /// place and then renamed: whatever fails, no half-written picture stands under the final name.
    /// </summary>
    /// <param name="image">The picture.</param>
    /// <param name="path">Where to; the folder must exist.</param>
    /// <param name="quality">1 to 100, for JPEG and lossy WebP.</param>
    /// <param name="overwrite">Whether a file that is there may be replaced.</param>
    /// <exception cref="ImageException">The ending is of no format that can be written, or the picture is too large for the format.</exception>
    /// <exception cref="OptionException">The quality is out of range.</exception>
    /// <exception cref="IOException">The file cannot be written, or is there and may not be replaced.</exception>
    /// <exception cref="UnauthorizedAccessException">The file may not be written.</exception>
    public static void Save(PixelImage image, string path, int quality = DefaultQuality, bool overwrite = true) =>
        Save(image, path, FormatOf(path), quality, overwrite);

    /// <summary>Writes a picture file in a given format, whatever its name; otherwise as <see cref="Save(PixelImage, string, int, bool)"/>.</summary>
    /// <param name="image">The picture.</param>
    /// <param name="path">Where to; the folder must exist.</param>
    /// <param name="format">The file format.</param>
    /// <param name="quality">1 to 100, for JPEG and lossy WebP.</param>
    /// <param name="overwrite">Whether a file that is there may be replaced.</param>
    /// <exception cref="ImageException">The picture is too large for the format.</exception>
    /// <exception cref="OptionException">The quality is out of range.</exception>
    /// <exception cref="IOException">The file cannot be written, or is there and may not be replaced.</exception>
    /// <exception cref="UnauthorizedAccessException">The file may not be written.</exception>
    public static void Save(PixelImage image, string path, ImageFormat format, int quality = DefaultQuality, bool overwrite = true)
    {
        ArgumentNullException.ThrowIfNull(image);
        ArgumentException.ThrowIfNullOrEmpty(path);
        Replace(path, overwrite, stream => Save(image, stream, format, quality));
    }

    /// <summary>Refuses a file name for a picture of a size that its format does not hold.</summary>
    /// <exception cref="ImageException">The ending is of no format that can be written, or the picture is too large for the format.</exception>
    internal static void CheckSize(int width, int height, string path) => Encoder.Check(width, height, FormatOf(path));

    /// <summary>A picture as the bytes of a file, in the format that a name's ending tells.</summary>
    internal static byte[] Encode(PixelImage image, string path)
    {
        using var stream = new MemoryStream();
        Save(image, stream, FormatOf(path));
        return stream.ToArray();
    }

    /// <summary>Writes a file beside its place and renames it.</summary>
    internal static void Replace(string path, bool overwrite, Action<Stream> write)
    {
        var full = Path.GetFullPath(path);
        var partial = Path.Combine(Path.GetDirectoryName(full) ?? full, $".{Path.GetFileName(full)}.{Guid.NewGuid():N}.tmp");
        try
        {
            using (var stream = new FileStream(partial, FileMode.CreateNew, FileAccess.Write))
                write(stream);

            File.Move(partial, full, overwrite);
        }
        finally
        {
            // After the rename there is nothing left to delete; without a folder there never was.
            if (File.Exists(partial))
                File.Delete(partial);
        }
    }

    /// <summary>Writes a picture to a stream. The stream stays open.</summary>
    /// <param name="image">The picture.</param>
    /// <param name="stream">Receives the file's bytes.</param>
    /// <param name="format">The file format.</param>
    /// <param name="quality">1 to 100, for JPEG and lossy WebP.</param>
    /// <exception cref="ImageException">The picture is too large for the format.</exception>
    /// <exception cref="OptionException">The quality is out of range.</exception>
    /// <exception cref="IOException">The stream cannot be written.</exception>
    public static void Save(PixelImage image, Stream stream, ImageFormat format, int quality = DefaultQuality)
    {
        ArgumentNullException.ThrowIfNull(image);
        ArgumentNullException.ThrowIfNull(stream);
        if (quality is < 1 or > 100)
            throw new OptionException(nameof(quality), $"A quality of {quality} is out of range; 1 to 100 is accepted.");

        Encoder.Encode(image, stream, format, quality);
    }

    /// <summary>The format that a file name's ending tells.</summary>
    /// <param name="path">A file name that ends in .png, .jpg, .jpeg or .webp, in any case.</param>
    /// <exception cref="ImageException">The ending is of no format that can be written.</exception>
    public static ImageFormat FormatOf(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        var ending = Path.GetExtension(path);
        return ending.ToUpperInvariant() switch
        {
            ".PNG" => ImageFormat.Png,
            ".JPG" or ".JPEG" => ImageFormat.Jpeg,
            ".WEBP" => ImageFormat.WebP,
            _ => throw new ImageException($"'{path}' ends in '{ending}', which names no format that can be written; .png, .jpg, .jpeg and .webp do."),
        };
    }

    static PixelImage Load(Stream stream, string name)
    {
        // The beginning first: a large file that is no picture is refused without reading all of it.
        var head = new byte[Signature.Length];
        var count = stream.ReadAtLeast(head, head.Length, throwOnEndOfStream: false);
        Signature.Check(head.AsSpan(0, count), name);

        using var rest = new MemoryStream();
        rest.Write(head, 0, count);
        stream.CopyTo(rest);
        return Decoder.Decode(rest.GetBuffer().AsSpan(0, checked((int)rest.Length)), name);
    }
}
