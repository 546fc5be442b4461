using System.Buffers.Binary;
using System.IO.Compression;
using System.IO.Hashing;
using System.Text;

namespace FramePainter.Imaging;

/// <summary>
/// Texts inside PNG files, by keyword (PNG specification, 11.3.3). Written as <c>tEXt</c> where the text is Latin-1, else as <c>iTXt</c>, before the
/// pixels; read from <c>tEXt</c>, <c>zTXt</c> and <c>iTXt</c>, compressed or not.
/// </summary>
public static class PngText
{
    /// <summary>The most bytes of a text, before and after inflating.</summary>
    public const int MaxBytes = 64 << 20;

    const int MaxKeyword = 79;
    const int Frame = 12;

    static ReadOnlySpan<byte> Magic => [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A];

    /// <summary>Puts a text into a PNG file, behind its header. Nothing else of the file changes.</summary>
    /// <param name="png">The file's bytes.</param>
    /// <param name="keyword">1 to 79 printable ASCII characters, without spaces at either end.</param>
    /// <param name="text">The text; no zero characters.</param>
    /// <returns>The file with the text.</returns>
    /// <exception cref="ImageException">The bytes do not begin a PNG, or the text is too long.</exception>
    /// <exception cref="ArgumentException">The keyword or the text holds what the format does not allow.</exception>
    public static byte[] Insert(ReadOnlySpan<byte> png, string keyword, string text)
    {
        CheckKeyword(keyword);
        ArgumentNullException.ThrowIfNull(text);
        if (text.Contains('\0', StringComparison.Ordinal))
            throw new ArgumentException("A text in a PNG cannot hold a zero character.", nameof(text));

        if (!png.StartsWith(Magic) || !TryChunk(png[Magic.Length..], out var header) || !header.Type.SequenceEqual("IHDR"u8))
            throw new ImageException("The bytes are no PNG file; only PNG files hold such texts.");

        var latin = text.All(c => c <= 0xFF);
        var key = Encoding.ASCII.GetBytes(keyword);
        // iTXt: no compression, no language, no translated keyword.
        byte[] data = latin ? [.. key, 0, .. Encoding.Latin1.GetBytes(text)] : [.. key, 0, 0, 0, 0, 0, .. Encoding.UTF8.GetBytes(text)];
        if (data.Length > MaxBytes)
            throw new ImageException($"A text of {data.Length} bytes is too long for a PNG; up to {MaxBytes} are written.");

        var at = Magic.Length + header.Length;
        var result = new byte[png.Length + Frame + data.Length];
        png[..at].CopyTo(result);
        WriteChunk(result.AsSpan(at), latin ? "tEXt"u8 : "iTXt"u8, data);
        png[at..].CopyTo(result.AsSpan(at + Frame + data.Length));
        return result;
    }

    /// <summary>Reads the first text of a keyword. Chunks of other kinds and keywords are passed over without a look at what they hold.</summary>
    /// <param name="png">The file's bytes.</param>
    /// <param name="keyword">The keyword, case and all.</param>
    /// <returns>The text, or null when the file has none of this keyword.</returns>
    /// <exception cref="ImageException">The bytes are no PNG, end within a chunk, or the text's own chunk is damaged: wrong checksum, bad compression, or too long.</exception>
    /// <exception cref="ArgumentException">The keyword holds what the format does not allow.</exception>
    public static string? Find(ReadOnlySpan<byte> png, string keyword)
    {
        CheckKeyword(keyword);
        if (!png.StartsWith(Magic))
            throw new ImageException("The bytes are no PNG file; only PNG files hold such texts.");

        Span<byte> key = [.. Encoding.ASCII.GetBytes(keyword), 0];
        var rest = png[Magic.Length..];
        while (!rest.IsEmpty)
        {
            if (!TryChunk(rest, out var chunk))
                throw new ImageException("The PNG file ends within a chunk: it is truncated or damaged.");

            if (IsText(chunk.Type) && chunk.Data.StartsWith(key))
            {
                if (!IsSound(rest, chunk))
                    throw new ImageException($"The text '{keyword}' in the PNG file is damaged: its checksum is wrong.");

                return Read(chunk.Type, chunk.Data[key.Length..], keyword);
            }

            if (chunk.Type.SequenceEqual("IEND"u8))
                return null;

            rest = rest[chunk.Length..];
        }

        return null;
    }

    /// <summary>What the first sound chunk of a type holds; nothing where there is none.</summary>
    internal static ReadOnlySpan<byte> DataOf(ReadOnlySpan<byte> png, ReadOnlySpan<byte> type)
    {
        var rest = png.StartsWith(Magic) ? png[Magic.Length..] : [];
        while (TryChunk(rest, out var chunk))
        {
            if (chunk.Type.SequenceEqual(type) && IsSound(rest, chunk))
                return chunk.Data;

            rest = rest[chunk.Length..];
        }

        return [];
    }

    static bool IsText(ReadOnlySpan<byte> type) => type.SequenceEqual("tEXt"u8) || type.SequenceEqual("zTXt"u8) || type.SequenceEqual("iTXt"u8);

    static string Read(ReadOnlySpan<byte> type, ReadOnlySpan<byte> data, string keyword)
    {
        if (type.SequenceEqual("tEXt"u8))
            return Encoding.Latin1.GetString(data);

        var damaged = new ImageException($"The text '{keyword}' in the PNG file is damaged: its fields are not those of the format.");
        if (type.SequenceEqual("zTXt"u8))
            return data is [0, ..] ? Encoding.Latin1.GetString(Inflate(data[1..], keyword)) : throw damaged;

        if (data is not [0 or 1, 0, ..])
            throw damaged;

        var compressed = data[0] == 1;
        data = data[2..];
        for (var field = 0; field < 2; field++)
        {
            var end = data.IndexOf((byte)0);
            data = end >= 0 ? data[(end + 1)..] : throw damaged;
        }

        return Encoding.UTF8.GetString(compressed ? Inflate(data, keyword) : data);
    }

    static byte[] Inflate(ReadOnlySpan<byte> data, string keyword)
    {
        try
        {
            using var inflate = new ZLibStream(new MemoryStream(data.ToArray()), CompressionMode.Decompress);
            using var text = new MemoryStream();
            var buffer = new byte[1 << 16];
            for (int count; (count = inflate.Read(buffer)) > 0;)
            {
                if (text.Length + count > MaxBytes)
                    throw new ImageException($"The text '{keyword}' in the PNG file is longer than {MaxBytes} bytes.");

                text.Write(buffer, 0, count);
            }

            return text.ToArray();
        }
        catch (InvalidDataException e)
        {
            throw new ImageException($"The text '{keyword}' in the PNG file is damaged: it cannot be inflated.", e);
        }
    }

    static bool TryChunk(ReadOnlySpan<byte> bytes, out Chunk chunk)
    {
        chunk = default;
        if (bytes.Length < Frame)
            return false;

        var length = BinaryPrimitives.ReadUInt32BigEndian(bytes);
        if (length > bytes.Length - Frame)
            return false;

        chunk = new Chunk(bytes.Slice(4, 4), bytes.Slice(8, (int)length));
        return true;
    }

    static bool IsSound(ReadOnlySpan<byte> bytes, Chunk chunk) =>
        Crc32.HashToUInt32(bytes[4..(chunk.Length - 4)]) == BinaryPrimitives.ReadUInt32BigEndian(bytes[(chunk.Length - 4)..]);

    static void WriteChunk(Span<byte> to, ReadOnlySpan<byte> type, ReadOnlySpan<byte> data)
    {
        BinaryPrimitives.WriteInt32BigEndian(to, data.Length);
        type.CopyTo(to[4..]);
        data.CopyTo(to[8..]);
        BinaryPrimitives.WriteUInt32BigEndian(to[(8 + data.Length)..], Crc32.HashToUInt32(to.Slice(4, 4 + data.Length)));
    }

    static void CheckKeyword(string keyword)
    {
        ArgumentException.ThrowIfNullOrEmpty(keyword);
        if (keyword.Length > MaxKeyword || keyword.Any(c => c is < ' ' or > '~') || keyword[0] == ' ' || keyword[^1] == ' ')
            throw new ArgumentException($"'{keyword}' is no keyword of a PNG text: 1 to {MaxKeyword} printable ASCII characters without spaces at either end are.", nameof(keyword));
    }

    readonly ref struct Chunk(ReadOnlySpan<byte> type, ReadOnlySpan<byte> data)
    {
        public ReadOnlySpan<byte> Type { get; } = type;

        public ReadOnlySpan<byte> Data { get; } = data;

        public int Length => Data.Length + Frame;
    }
}
