using System.Text.Json;
using System.Text.Unicode;

namespace FramePainter.Weights.Safetensors;

/// <summary>A <c>*.index.json</c>: which shard holds which tensor.</summary>
/// <param name="File">The index's path.</param>
/// <param name="WeightMap">The shard's file name of every tensor.</param>
/// <param name="TotalBytes">Bytes of all tensors as the index claims; null when it does not. Writers disagree on it, so nothing depends on it.</param>
sealed record ShardIndex(string File, IReadOnlyDictionary<string, string> WeightMap, double? TotalBytes)
{
    /// <summary>Reads an index.</summary>
    /// <param name="file">Its path.</param>
    /// <exception cref="CheckpointException">It is unreadable, malformed, or names a shard outside its own folder.</exception>
    public static ShardIndex Read(string file)
    {
        byte[] bytes;
        try
        {
            bytes = DiskReads.ReadAll(file, SafetensorsHeader.MaxBytes, _ => new CheckpointException($"'{file}' is larger than {SafetensorsHeader.MaxBytes:N0} bytes; this is no shard index.", file));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CheckpointException($"The shard index '{file}' cannot be read: {e.Message}", file, inner: e);
        }

        try
        {
            if (!Utf8.IsValid(bytes))
                throw new CheckpointException($"The shard index '{file}' is not valid UTF-8.", file);

            using var document = JsonDocument.Parse(bytes, new JsonDocumentOptions { AllowDuplicateProperties = false });
            return Read(document.RootElement, file);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            throw new CheckpointException($"The shard index '{file}' is not valid JSON: {e.Message}", file, inner: e);
        }
    }

    static ShardIndex Read(JsonElement root, string file)
    {
        if (root.ValueKind != JsonValueKind.Object || !root.TryGetProperty("weight_map", out var map) || map.ValueKind != JsonValueKind.Object)
            throw new CheckpointException($"The shard index '{file}' has no object 'weight_map'.", file);

        var shards = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var entry in map.EnumerateObject())
        {
            if (entry.Value.ValueKind != JsonValueKind.String)
                throw new CheckpointException($"The shard index '{file}': the shard of tensor '{entry.Name}' must be a file name.", file, entry.Name);

            var shard = entry.Value.GetString()!;
            if (shard.Length == 0 || shard is "." or ".." || shard.AsSpan().ContainsAny("/\\:\0"))
                throw new CheckpointException($"The shard index '{file}': tensor '{entry.Name}' names the shard '{shard}'; a shard is a file beside the index, named without a path.", file, entry.Name);

            shards.Add(entry.Name, shard);
        }

        double? total = null;
        if (root.TryGetProperty("metadata", out var metadata) && metadata.ValueKind != JsonValueKind.Null)
        {
            if (metadata.ValueKind != JsonValueKind.Object)
                throw new CheckpointException($"The shard index '{file}': 'metadata' must be an object.", file);

            if (metadata.TryGetProperty("total_size", out var size))
            {
                total = size.ValueKind == JsonValueKind.Number && size.GetDouble() is >= 0 and <= double.MaxValue and var number
                    ? number
                    : throw new CheckpointException($"The shard index '{file}': metadata.total_size must be a number of bytes.", file);
            }
        }

        return new(file, shards, total);
    }
}
