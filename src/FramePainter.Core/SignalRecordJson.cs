using System.IO.Compression;
using System.Numerics;
using System.Text.Json;

namespace FramePainter;

/// <summary>The text form of a <see cref="SignalRecord"/>: strokes as numbers, pictures deflated and in base 64. All that is read is checked before memory is taken for it.</summary>
static class SignalRecordJson
{
    /// <summary>Bytes that a picture may take deflated.</summary>
    const int MaxDeflated = 24 << 20;

    /// <summary>Deflate makes at most so many bytes of one (RFC 1951: a match of 258 bytes takes two bits): a picture that claims more is a lie.</summary>
    const long MaxRatio = 1032;

    /// <summary>Writes the record as the field <c>replay</c>.</summary>
    /// <exception cref="MetadataException">The picture is too large for a text.</exception>
    public static void Write(Utf8JsonWriter json, SignalRecord record)
    {
        json.WriteStartObject("replay");
        json.WriteString("kind", record.Kind.ToString());
        if (record.Kind == SignalRecordKind.Strokes)
        {
            json.WriteNumber("width", record.StrokeSize.Width);
            json.WriteNumber("height", record.StrokeSize.Height);
            json.WriteStartArray("strokes");
            foreach (var stroke in record.Strokes)
            {
                Numbers(json, [stroke.Width, .. stroke.Points.SelectMany(p => new[] { p.X, p.Y })]);
            }

            json.WriteEndArray();
        }

        if (record.Picture is { } picture)
        {
            json.WriteNumber("width", picture.Width);
            json.WriteNumber("height", picture.Height);
            json.WriteString("format", picture.Format.ToString());
            json.WriteBase64String("pixels", Deflate(picture));
        }

        if (record.Kind == SignalRecordKind.Move)
        {
            var t = record.Transform;
            json.WritePropertyName("transform");
            Numbers(json, [t.M11, t.M12, t.M21, t.M22, t.M31, t.M32]);
        }

        json.WriteEndObject();
    }

    /// <summary>Reads a record; what is wrong is told by exceptions that <see cref="EditMetadataJson"/> turns into its own.</summary>
    public static SignalRecord Read(JsonElement json)
    {
        switch (EditMetadataJson.Named<SignalRecordKind>(json, "kind"))
        {
            case SignalRecordKind.None:
                return SignalRecord.None;
            case SignalRecordKind.Strokes:
                return ReadStrokes(json);
            case SignalRecordKind.Move:
                var t = Singles(EditMetadataJson.Field(json, "transform"), 6);
                return t.Length == 6
                    ? SignalRecord.OfMove(ReadPicture(json), new Matrix3x2(t[0], t[1], t[2], t[3], t[4], t[5]))
                    : throw new FormatException("a transform has six numbers");
            case var kind:
                return SignalRecord.OfPicture(kind, ReadPicture(json));
        }
    }

    static SignalRecord ReadStrokes(JsonElement json)
    {
        var (width, height) = Size(json);
        var strokes = new List<Stroke>();
        var left = SignalRecord.MaxStrokePoints;
        foreach (var element in EditMetadataJson.Field(json, "strokes").EnumerateArray())
        {
            var numbers = Singles(element, 1 + (2 * left));
            if (numbers.Length < 3 || numbers.Length % 2 == 0)
            {
                throw new FormatException("a stroke has a width and pairs of coordinates");
            }

            left -= numbers.Length / 2;
            strokes.Add(new Stroke(Enumerable.Range(0, numbers.Length / 2).Select(i => new Vector2(numbers[1 + (2 * i)], numbers[2 + (2 * i)])), numbers[0]));
        }

        return strokes.Count is > 0 and <= StrokeRasterizer.MaxStrokes
            ? SignalRecord.OfStrokes(strokes, width, height)
            : throw new FormatException($"a sketch has from 1 to {StrokeRasterizer.MaxStrokes} strokes");
    }

    static PixelImage ReadPicture(JsonElement json)
    {
        var (width, height) = Size(json);
        var format = EditMetadataJson.Named<PixelFormat>(json, "format");
        var deflated = EditMetadataJson.Field(json, "pixels").GetBytesFromBase64();
        var count = (long)width * height * PixelImage.BytesPerPixel(format);
        if (count > deflated.Length * MaxRatio)
        {
            throw new FormatException($"{deflated.Length} bytes are too few for a picture of {width}×{height} pixels");
        }

        var pixels = new byte[count];
        using var inflate = new DeflateStream(new MemoryStream(deflated), CompressionMode.Decompress);
        return inflate.ReadAtLeast(pixels, pixels.Length, throwOnEndOfStream: false) == pixels.Length && inflate.ReadByte() < 0
            ? PixelImage.Adopt(pixels, width, height, format)
            : throw new FormatException("the pixels of the signal are not as many as its size says");
    }

    static byte[] Deflate(PixelImage picture)
    {
        using var deflated = new MemoryStream();
        using (var deflate = new DeflateStream(deflated, CompressionLevel.SmallestSize, leaveOpen: true))
        {
            deflate.Write(picture.Pixels);
        }

        return deflated.Length <= MaxDeflated
            ? deflated.ToArray()
            : throw new MetadataException($"The signal's picture of {picture.Width}×{picture.Height} pixels takes {deflated.Length} bytes deflated; up to {MaxDeflated} are written. Set {nameof(EditMetadata)}.{nameof(EditMetadata.Record)} to null to do without it.");
    }

    static (int Width, int Height) Size(JsonElement json)
    {
        var (width, height) = (EditMetadataJson.Int32(json, "width"), EditMetadataJson.Int32(json, "height"));
        PixelImage.CheckSize(width, height);
        return (width, height);
    }

    static float[] Singles(JsonElement json, int most)
    {
        var numbers = json.EnumerateArray().Take(most + 1).Select(n => n.GetSingle()).ToArray();
        return numbers.Length <= most && numbers.All(float.IsFinite) ? numbers : throw new FormatException($"up to {most} finite numbers are expected");
    }

    static void Numbers(Utf8JsonWriter json, IEnumerable<float> numbers)
    {
        json.WriteStartArray();
        foreach (var number in numbers)
        {
            json.WriteNumberValue(number);
        }

        json.WriteEndArray();
    }
}
