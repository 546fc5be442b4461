namespace FramePainter.Imaging;

/// <summary>Edited pictures as PNG files that say how they were made: the metadata stands in a text of the file.</summary>
public static class EditFile
{
    /// <summary>Keyword of the text.</summary>
    public const string Keyword = "FramePainter";

    /// <summary>Writes an edited picture as PNG with its metadata. <see cref="ImageFile.Save(PixelImage, string, int, bool)"/> writes it without: not a byte of the file tells.</summary>
    /// <param name="result">The edit.</param>
    /// <param name="path">Where to; the folder must exist.</param>
    /// <param name="overwrite">Whether a file that is there may be replaced.</param>
    /// <exception cref="MetadataException">The signal's picture is too large to be written as metadata.</exception>
    /// <exception cref="IOException">The file cannot be written, or is there and may not be replaced.</exception>
    /// <exception cref="UnauthorizedAccessException">The file may not be written.</exception>
    public static void Save(EditResult result, string path, bool overwrite = true)
    {
        ArgumentNullException.ThrowIfNull(result);
        ArgumentException.ThrowIfNullOrEmpty(path);
        var png = Encode(result);
        ImageFile.Replace(path, overwrite, stream => stream.Write(png));
    }

    /// <summary>An edited picture with its metadata as the bytes of a PNG file.</summary>
    /// <param name="result">The edit.</param>
    /// <exception cref="MetadataException">The signal's picture is too large to be written as metadata.</exception>
    public static byte[] Encode(EditResult result)
    {
        ArgumentNullException.ThrowIfNull(result);
        using var stream = new MemoryStream();
        ImageFile.Save(result.Edited, stream, ImageFormat.Png);
        return PngText.Insert(stream.GetBuffer().AsSpan(0, (int)stream.Length), Keyword, result.Metadata.ToJson());
    }

    /// <summary>As <see cref="Encode"/>; a signal whose picture is too large to be written is left out, so that no finished edit is lost over it.</summary>
    /// <param name="result">The edit.</param>
    /// <returns>The file, and whether it holds the signal.</returns>
    internal static (byte[] Png, bool HasSignal) EncodeWhatFits(EditResult result)
    {
        var png = ImageFile.Encode(result.Edited, ".png");
        try
        {
            return (PngText.Insert(png, Keyword, result.Metadata.ToJson()), true);
        }
        catch (MetadataException)
        {
            return (PngText.Insert(png, Keyword, (result.Metadata with { Record = null }).ToJson()), false);
        }
    }

    /// <summary>Reads the metadata of an edited picture. The pixels are not decoded.</summary>
    /// <param name="path">A PNG file.</param>
    /// <returns>The metadata, or null when the file has none.</returns>
    /// <exception cref="ImageException">The file is no PNG or damaged.</exception>
    /// <exception cref="MetadataException">The text is no metadata of an edit.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    /// <exception cref="UnauthorizedAccessException">The file may not be read.</exception>
    public static EditMetadata? ReadMetadata(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        if (Directory.Exists(path))
            throw new ImageException($"'{path}' is a folder, not a picture file.");

        return ReadMetadata(File.ReadAllBytes(path));
    }

    /// <summary>Reads the metadata of an edited picture in memory.</summary>
    /// <param name="png">The bytes of a PNG file.</param>
    /// <returns>The metadata, or null when there is none.</returns>
    /// <exception cref="ImageException">The bytes are no PNG or damaged.</exception>
    /// <exception cref="MetadataException">The text is no metadata of an edit.</exception>
    public static EditMetadata? ReadMetadata(ReadOnlySpan<byte> png) => PngText.Find(png, Keyword) is { } text ? EditMetadata.FromJson(text) : null;
}
