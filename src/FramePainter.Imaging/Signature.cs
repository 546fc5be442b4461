namespace FramePainter.Imaging;

/// <summary>Tells picture formats by their first bytes, so that a codec is handed only what it is meant to read.</summary>
static class Signature
{
    /// <summary>Bytes that are looked at.</summary>
    public const int Length = 16;

    /// <summary>Refuses everything but PNG, JPEG and WebP.</summary>
    /// <param name="head">The file's first bytes, at least <see cref="Length"/> where it has them.</param>
    /// <param name="name">What to call the file.</param>
    /// <exception cref="ImageException">The bytes begin no picture, or one of another format.</exception>
    public static void Check(ReadOnlySpan<byte> head, string name)
    {
        if (head.IsEmpty)
            throw new ImageException($"{name} is empty.");

        if (head.StartsWith<byte>([0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A])
            || head.StartsWith<byte>([0xFF, 0xD8, 0xFF])
            || (head.StartsWith("RIFF"u8) && head.Length >= 12 && head[8..].StartsWith("WEBP"u8)))
        {
            return;
        }

        throw new ImageException(Other(head) is { } other
            ? $"{name} is a {other} picture, which is not supported; PNG, JPEG and WebP are."
            : $"{name} is not a picture that can be read; PNG, JPEG and WebP files are.");
    }

    static string? Other(ReadOnlySpan<byte> head) => head switch
    {
        _ when head.StartsWith("GIF8"u8) => "GIF",
        _ when head.StartsWith("BM"u8) => "BMP",
        _ when head.StartsWith("II*\0"u8) || head.StartsWith("MM\0*"u8) => "TIFF",
        _ when head.Length >= 12 && head[4..].StartsWith("ftypavif"u8) => "AVIF",
        _ when head.Length >= 12 && (head[4..].StartsWith("ftyphei"u8) || head[4..].StartsWith("ftypmif1"u8)) => "HEIF",
        _ when head.StartsWith<byte>([0xFF, 0x0A]) => "JPEG XL",
        _ => null,
    };
}
