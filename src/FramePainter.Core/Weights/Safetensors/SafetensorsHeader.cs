using System.Text.Json;
using System.Text.Unicode;
using FramePainter.Tensors;

namespace FramePainter.Weights.Safetensors;

/// <summary>What a header holds: tensors in the order of their bytes, and the metadata.</summary>
sealed record SafetensorsContents(OrderedDictionary<string, SafetensorsEntry> Tensors, OrderedDictionary<string, string> Metadata);

/// <summary>Reads a safetensors header and holds it to the whole format.</summary>
static class SafetensorsHeader
{
    /// <summary>The format's limit for the header.</summary>
    public const long MaxBytes = 100_000_000;

    /// <summary>Bytes of the header length that begins a file.</summary>
    public const int PrefixBytes = 8;

    const string MetadataKey = "__metadata__";
    const int MaxRank = 6;

    /// <summary>Parses a header.</summary>
    /// <param name="json">The header's bytes, padding included.</param>
    /// <param name="fileBytes">Size of the whole file.</param>
    /// <param name="file">The file's name, for errors.</param>
    /// <exception cref="CheckpointException">The header breaks the format.</exception>
    public static SafetensorsContents Parse(ReadOnlySpan<byte> json, long fileBytes, string file)
    {
        if (!Utf8.IsValid(json))
            throw new CheckpointException($"'{file}': the header is not valid UTF-8.", file);

        var dataStart = PrefixBytes + json.Length;
        var tensors = new List<SafetensorsEntry>();
        OrderedDictionary<string, string>? metadata = null;
        try
        {
            var reader = new Utf8JsonReader(json);
            reader.Read();
            var seen = new HashSet<string>(StringComparer.Ordinal);
            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                var name = reader.GetString()!;
                if (!seen.Add(name))
                    throw new CheckpointException($"'{file}': the header names '{name}' twice.", file, name);

                reader.Read();
                if (name == MetadataKey)
                    metadata = ReadMetadata(ref reader, file);
                else
                    tensors.Add(ReadEntry(ref reader, name, dataStart, file));
            }

            CheckPadding(json, (int)reader.BytesConsumed, file);
        }
        catch (JsonException e)
        {
            throw new CheckpointException($"'{file}': the header is not valid JSON (byte {e.BytePositionInLine} of line {e.LineNumber}): {e.Message}", file, inner: e);
        }
        catch (InvalidOperationException e)
        {
            throw new CheckpointException($"'{file}': the header holds a string that is no valid text: {e.Message}", file, inner: e);
        }

        return new(InFileOrder(tensors, dataStart, fileBytes, file), metadata ?? []);
    }

    static void CheckPadding(ReadOnlySpan<byte> json, int end, string file)
    {
        var stray = json[end..].IndexOfAnyExcept((byte)' ');
        if (stray >= 0)
            throw new CheckpointException($"'{file}': the header's JSON ends at byte {end}, but byte {end + stray} is 0x{json[end + stray]:X2}; only spaces may follow.", file);
    }

    static OrderedDictionary<string, string> ReadMetadata(ref Utf8JsonReader reader, string file)
    {
        if (reader.TokenType != JsonTokenType.StartObject)
            throw new CheckpointException($"'{file}': {MetadataKey} must be an object of strings, found {Found(reader)}.", file);

        var metadata = new OrderedDictionary<string, string>(StringComparer.Ordinal);
        while (Next(ref reader) == JsonTokenType.PropertyName)
        {
            var key = reader.GetString()!;
            reader.Read();
            if (reader.TokenType != JsonTokenType.String)
                throw new CheckpointException($"'{file}': {MetadataKey} entry '{key}' must be a string, found {Found(reader)}.", file);

            if (!metadata.TryAdd(key, reader.GetString()!))
                throw new CheckpointException($"'{file}': {MetadataKey} names '{key}' twice.", file);
        }

        return metadata;
    }

    static SafetensorsEntry ReadEntry(ref Utf8JsonReader reader, string name, long dataStart, string file)
    {
        CheckpointException Fault(string message) => new($"'{file}', tensor '{name}': {message}", file, name);

        if (reader.TokenType != JsonTokenType.StartObject)
            throw Fault($"expected an object with dtype, shape and data_offsets, found {Found(reader)}.");

        DType? type = null;
        List<long>? extents = null, offsets = null;
        while (Next(ref reader) == JsonTokenType.PropertyName)
        {
            var key = reader.GetString()!;
            reader.Read();
            var repeated = key switch { "dtype" => type is not null, "shape" => extents is not null, "data_offsets" => offsets is not null, _ => false };
            if (repeated)
                throw Fault($"'{key}' is given twice.");

            switch (key)
            {
                case "dtype":
                    if (reader.TokenType != JsonTokenType.String)
                        throw Fault($"dtype must be a string, found {Found(reader)}.");
                    var label = reader.GetString()!;
                    type = SafetensorsTypes.Parse(label) ?? throw Fault($"dtype '{label}' is unknown; known are {SafetensorsTypes.Known}.");
                    break;
                case "shape":
                    extents = ReadIntegers(ref reader, file, name, key);
                    break;
                case "data_offsets":
                    offsets = ReadIntegers(ref reader, file, name, key);
                    break;
                default:
                    throw Fault($"unknown field '{key}'; an entry has dtype, shape and data_offsets only.");
            }
        }

        if (type is null || extents is null || offsets is null)
            throw Fault($"'{(type is null ? "dtype" : extents is null ? "shape" : "data_offsets")}' is missing.");

        if (extents.Count > MaxRank)
            throw Fault($"the shape has {extents.Count} extents; at most {MaxRank} are read.");

        if (offsets.Count != 2 || offsets[0] > offsets[1])
            throw Fault($"data_offsets must be [begin, end] with begin <= end, found [{string.Join(", ", offsets)}].");

        var shape = new Shape([.. extents]);
        long bytes;
        try
        {
            bytes = checked(shape.Count * type.Value.Size());
        }
        catch (OverflowException e)
        {
            throw new CheckpointException($"'{file}', tensor '{name}': the size of shape {shape} overflows 63 bits.", file, name, e);
        }

        var (begin, end) = (offsets[0], offsets[1]);
        if (end - begin != bytes)
            throw Fault($"shape {shape} of {SafetensorsTypes.Label(type.Value)} needs {bytes:N0} bytes, but data_offsets [{begin}, {end}] hold {end - begin:N0}.");

        if (begin > long.MaxValue - dataStart)
            throw Fault($"data_offsets [{begin}, {end}] lie beyond any file.");

        return new(name, type.Value, shape, dataStart + begin, bytes);
    }

    static List<long> ReadIntegers(ref Utf8JsonReader reader, string file, string name, string key)
    {
        if (reader.TokenType != JsonTokenType.StartArray)
            throw new CheckpointException($"'{file}', tensor '{name}': {key} must be a list of integers, found {Found(reader)}.", file, name);

        var values = new List<long>();
        while (Next(ref reader) != JsonTokenType.EndArray)
        {
            if (reader.TokenType != JsonTokenType.Number || reader.ValueSpan[0] == (byte)'-' || !reader.TryGetInt64(out var value))
                throw new CheckpointException($"'{file}', tensor '{name}': {key} must hold integers of 0 to {long.MaxValue}, found {Found(reader)}.", file, name);

            values.Add(value);
        }

        return values;
    }

    static OrderedDictionary<string, SafetensorsEntry> InFileOrder(List<SafetensorsEntry> tensors, long dataStart, long fileBytes, string file)
    {
        var ordered = new OrderedDictionary<string, SafetensorsEntry>(tensors.Count, StringComparer.Ordinal);
        var end = dataStart;
        foreach (var entry in tensors.OrderBy(e => e.Offset).ThenBy(e => e.Bytes))
        {
            if (entry.Offset != end)
            {
                var what = entry.Offset > end ? "leaves a hole after" : "overlaps";
                throw new CheckpointException(
                    $"'{file}', tensor '{entry.Name}': its data begins at {entry.Offset - dataStart:N0} and {what} the tensor before it, which ends at {end - dataStart:N0}.", file, entry.Name);
            }

            if (entry.Bytes > long.MaxValue - end)
                throw new CheckpointException($"'{file}', tensor '{entry.Name}': its data lies beyond any file.", file, entry.Name);

            end += entry.Bytes;
            ordered.Add(entry.Name, entry);
        }

        if (end > fileBytes)
            throw new CheckpointException($"'{file}' is truncated: its header describes {end:N0} bytes, the file has {fileBytes:N0}. Was the download cut short?", file);

        if (end < fileBytes)
            throw new CheckpointException($"'{file}': the last tensor ends at byte {end:N0}, but the file goes on to {fileBytes:N0}; nothing may follow the tensors.", file);

        return ordered;
    }

    /// <summary>The next token inside an object or list: there is one, since a header that ends within either is no valid JSON.</summary>
    static JsonTokenType Next(ref Utf8JsonReader reader)
    {
        reader.Read();
        return reader.TokenType;
    }

    /// <summary>A value in words: strings without their quotes, numbers, null, true and false as they are written.</summary>
    static string Found(in Utf8JsonReader reader) =>
        reader.TokenType == JsonTokenType.StartObject ? "an object"
        : reader.TokenType == JsonTokenType.StartArray ? "a list"
        : reader.TokenType == JsonTokenType.String ? $"the string '{reader.GetString()}'"
        : System.Text.Encoding.ASCII.GetString(reader.ValueSpan);
}
