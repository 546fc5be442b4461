using System.Buffers;
using System.Globalization;
using System.Numerics;
using System.Text;
using System.Text.Json;

namespace FramePainter;

/// <summary>The text form of <see cref="EditMetadata"/>. Fields that a reader does not know are left alone; another format number is refused.</summary>
static class EditMetadataJson
{
    const int Format = 1;

    /// <summary>The longest text that is read: room for the largest picture of a signal that is written.</summary>
    const int MaxLength = 40 << 20;

    public static string Write(EditMetadata metadata)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteNumber("format", Format);
            json.WriteString("version", metadata.Version);
            WriteOptions(json, metadata.Options);
            json.WriteString("attention", metadata.Attention.ToString());
            json.WriteNumber("width", metadata.Width);
            json.WriteNumber("height", metadata.Height);
            json.WriteString("device", metadata.Device);
            json.WriteString("signal", metadata.Signal);
            json.WriteStartArray("points");
            foreach (var (source, target) in metadata.Points)
            {
                json.WriteStartArray();
                foreach (var coordinate in (ReadOnlySpan<float>)[source.X, source.Y, target.X, target.Y])
                {
                    json.WriteNumberValue(coordinate);
                }

                json.WriteEndArray();
            }

            json.WriteEndArray();
            json.WriteStartObject("models");
            foreach (var (file, hash) in metadata.ModelHashes.OrderBy(h => h.Key, StringComparer.Ordinal))
            {
                json.WriteString(file, hash);
            }

            json.WriteEndObject();
            if (metadata.PictureHash is { } picture)
            {
                json.WriteString("picture", picture);
            }

            if (metadata.Record is { } record)
            {
                SignalRecordJson.Write(json, record);
            }

            json.WriteEndObject();
        }

        return Encoding.UTF8.GetString(buffer.WrittenSpan);
    }

    public static EditMetadata Read(string text)
    {
        if (text.Length > MaxLength)
        {
            throw new MetadataException($"A text of {text.Length} characters is no metadata of an edit; up to {MaxLength} are read.");
        }

        try
        {
            using var document = JsonDocument.Parse(text, new JsonDocumentOptions { MaxDepth = 8 });
            var json = document.RootElement;
            var format = Int32(json, "format");
            if (format != Format)
            {
                throw new MetadataException($"The metadata has format {format}; this version reads format {Format}.");
            }

            var metadata = new EditMetadata
            {
                Version = Text(json, "version"),
                Options = ReadOptions(Field(json, "options")),
                Attention = Named<AttentionKind>(json, "attention"),
                Width = Int32(json, "width"),
                Height = Int32(json, "height"),
                Device = Text(json, "device"),
                Signal = Text(json, "signal"),
                Points = [.. Field(json, "points").EnumerateArray().Take(Signal.MaxPoints + 1).Select(Point)],
                ModelHashes = Field(json, "models").EnumerateObject().ToDictionary(p => p.Name, p => p.Value.GetString() ?? "", StringComparer.Ordinal),
                PictureHash = json.TryGetProperty("picture", out _) ? Text(json, "picture") : null,
                Record = json.TryGetProperty("replay", out var record) ? SignalRecordJson.Read(record) : null,
            };
            PixelImage.CheckSize(metadata.Width, metadata.Height);
            return metadata.Points.Count <= Signal.MaxPoints
                ? metadata
                : throw new MetadataException($"The metadata has more than {Signal.MaxPoints} drag points.");
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or FormatException or ArgumentException or OptionException or ImageException or SignalException or InvalidDataException)
        {
            throw new MetadataException($"The text is no metadata of an edit: {e.Message}", e);
        }
    }

    static void WriteOptions(Utf8JsonWriter json, EditOptions options)
    {
        json.WriteStartObject("options");
        json.WriteNumber("steps", options.Steps);
        json.WriteNumber("seed", options.Seed);
        json.WriteNumber("controlScale", options.ControlScale);
        json.WriteNumber("guidance", options.Guidance);
        json.WriteString("decay", options.Decay.ToString());
        if (options.RefreshDeepFeaturesEvery > 1)
        {
            json.WriteNumber("refreshDeepFeaturesEvery", options.RefreshDeepFeaturesEvery);
        }

        if (options.SkipUnconditionalBelow > 0)
        {
            json.WriteNumber("skipUnconditionalBelow", options.SkipUnconditionalBelow);
        }

        if (options.Size is var (width, height))
        {
            json.WriteStartArray("size");
            json.WriteNumberValue(width);
            json.WriteNumberValue(height);
            json.WriteEndArray();
        }

        json.WriteString("fit", options.Fit.ToString());
        json.WriteString("draws", options.Draws.ToString());
        json.WriteNumber("pointCapacity", options.PointCapacity);
        json.WriteEndObject();
    }

    static EditOptions ReadOptions(JsonElement json)
    {
        var options = new EditOptions
        {
            Steps = Int32(json, "steps"),
            Seed = Field(json, "seed").GetInt64(),
            ControlScale = Field(json, "controlScale").GetSingle(),
            Guidance = Field(json, "guidance").GetSingle(),
            Decay = Named<GuidanceDecay>(json, "decay"),
            RefreshDeepFeaturesEvery = json.TryGetProperty("refreshDeepFeaturesEvery", out var refresh) ? refresh.GetInt32() : 1,
            SkipUnconditionalBelow = json.TryGetProperty("skipUnconditionalBelow", out var skip) ? skip.GetSingle() : 0,
            Size = json.TryGetProperty("size", out var size) ? Pair(size) : null,
            Fit = Named<Fit>(json, "fit"),
            Draws = Named<DrawPrecision>(json, "draws"),
            PointCapacity = Int32(json, "pointCapacity"),
        };
        options.Validate();
        return options;
    }

    static (int Width, int Height) Pair(JsonElement json) => json.GetArrayLength() == 2
        ? (json[0].GetInt32(), json[1].GetInt32())
        : throw new FormatException("a size has two numbers");

    static DragPoint Point(JsonElement json)
    {
        var numbers = json.EnumerateArray().Take(5).Select(n => n.GetSingle()).ToArray();
        return numbers.Length == 4 && numbers.All(float.IsFinite)
            ? new DragPoint(new Vector2(numbers[0], numbers[1]), new Vector2(numbers[2], numbers[3]))
            : throw new FormatException("a drag point has four finite numbers");
    }

    internal static JsonElement Field(JsonElement json, string name) =>
        json.TryGetProperty(name, out var value) ? value : throw new FormatException($"'{name}' is missing");

    internal static int Int32(JsonElement json, string name) => Field(json, name).GetInt32();

    static string Text(JsonElement json, string name) => Field(json, name).GetString() ?? throw new FormatException($"'{name}' is null");

    /// <summary>A value by its name alone: numbers, which an enum's parser takes too, are no names.</summary>
    internal static T Named<T>(JsonElement json, string name)
        where T : struct, Enum
    {
        var text = Text(json, name);
        return Enum.GetNames<T>().Contains(text, StringComparer.Ordinal)
            ? Enum.Parse<T>(text)
            : throw new FormatException(string.Create(CultureInfo.InvariantCulture, $"'{name}' is '{text}', which is none of {string.Join(", ", Enum.GetNames<T>())}"));
    }
}
