using System.Globalization;
using System.Text.Json;
using System.Text.Unicode;

namespace FramePainter.Weights;

/// <summary>Reads the values of one JSON config and refuses, by name, those that are not supported. Keys nobody asks for are ignored.</summary>
sealed class ConfigReader
{
    const int MaxBytes = 16 << 20;
    readonly JsonElement _root;

    /// <summary>Reads from JSON already parsed.</summary>
    /// <param name="root">The config's object.</param>
    /// <param name="file">Its name, for errors.</param>
    public ConfigReader(JsonElement root, string file)
    {
        File = file;
        _root = root.ValueKind == JsonValueKind.Object
            ? root
            : throw new CheckpointException($"'{file}': a config must be a JSON object, found {root.ValueKind}.", file);
    }

    /// <summary>The config's file.</summary>
    public string File { get; }

    /// <summary>Opens a config file.</summary>
    /// <param name="file">Its path.</param>
    /// <exception cref="CheckpointException">It is missing, unreadable or no JSON object, or a key stands in it twice.</exception>
    public static ConfigReader Open(string file)
    {
        try
        {
            var bytes = DiskReads.ReadAll(file, MaxBytes, length => new CheckpointException($"'{file}' has {length:N0} bytes; a config has at most {MaxBytes:N0}.", file)).AsMemory();
            if (bytes.Span.StartsWith("\uFEFF"u8))
                bytes = bytes[3..];

            if (!Utf8.IsValid(bytes.Span))
                throw new CheckpointException($"'{file}' is not valid UTF-8.", file);

            using var document = JsonDocument.Parse(bytes, new JsonDocumentOptions { AllowDuplicateProperties = false });
            return new(document.RootElement.Clone(), file);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new CheckpointException($"The config '{file}' is missing.", file, inner: e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CheckpointException($"The config '{file}' cannot be read: {e.Message}", file, inner: e);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            throw new CheckpointException($"The config '{file}' is not valid JSON: {e.Message}", file, inner: e);
        }
    }

    /// <summary>Builds the error that refuses a value.</summary>
    /// <param name="key">The key.</param>
    /// <param name="supported">What is supported.</param>
    public CheckpointException Refuse(string key, string supported) =>
        new($"'{File}': {key} {(Has(key, out var value) ? "is " + Text(value) : "is missing")}; supported: {supported}.", File);

    /// <summary>The most layers of one kind that a config may name. Layers are made into names of tensors before any file is looked at: billions of them would take all memory.</summary>
    public const int MostLayers = 1024;

    /// <summary>The most layers of a block, and of transformers in one of them: both multiply, and with the levels. FramePainter has 2 and 1.</summary>
    public const int MostLayersOfBlock = 16;

    /// <summary>The largest width, side or count of other things: far more than any network has, and its square still fits 32 bits.</summary>
    const int MostExtent = 1 << 15;

    /// <summary>The most levels of a network. Each halves the picture: sizes stay far from the end of 32 bits.</summary>
    const int MostLevels = 8;

    /// <summary>An integer from 1 on, up to a bound.</summary>
    public int Integer(string key, int fallback, int maximum = MostExtent)
    {
        if (!Has(key, out var value))
            return fallback;

        return ToInteger(value, maximum) ?? throw Refuse(key, "an integer " + Range(maximum));
    }

    /// <summary>A finite number above <paramref name="lowest"/>; without a fallback it must be there.</summary>
    public double Number(string key, double? fallback, double lowest = double.NegativeInfinity)
    {
        var supported = double.IsFinite(lowest) ? string.Create(CultureInfo.InvariantCulture, $"a number above {lowest}") : "a number";
        if (!Has(key, out var value))
            return fallback ?? throw Refuse(key, supported);

        return value.ValueKind == JsonValueKind.Number && value.TryGetDouble(out var number) && double.IsFinite(number) && number > lowest
            ? number
            : throw Refuse(key, supported);
    }

    /// <summary>A list of such integers; without a fallback it must be there.</summary>
    public int[] Integers(string key, int[]? fallback, int maximum = MostExtent)
    {
        var supported = string.Create(CultureInfo.InvariantCulture, $"a list of integers {Range(maximum)}, {MostLevels} of them at most");
        if (!Has(key, out var value))
            return fallback ?? throw Refuse(key, supported);

        return value.ValueKind == JsonValueKind.Array && value.GetArrayLength() is > 0 and <= MostLevels
            ? [.. value.EnumerateArray().Select(v => ToInteger(v, maximum) ?? throw Refuse(key, supported))]
            : throw Refuse(key, supported);
    }

    /// <summary>One integer for every level, or a list with an entry a level.</summary>
    public int[] PerLevel(string key, int levels, int[] fallback, int maximum = MostExtent)
    {
        if (Has(key, out var value) && value.ValueKind == JsonValueKind.Number)
            return [.. Enumerable.Repeat(Integer(key, 0, maximum), levels)];

        var list = Integers(key, fallback, maximum);
        if (!Has(key, out _) && list.Length == 1)
            return [.. Enumerable.Repeat(list[0], levels)];

        return list.Length == levels
            ? list
            : throw Refuse(key, string.Create(CultureInfo.InvariantCulture, $"one integer, or a list of {levels} (one a level of block_out_channels)"));
    }

    /// <summary>A list of finite numbers of a given length.</summary>
    public double[] Numbers(string key, int count, double[] fallback)
    {
        if (!Has(key, out var value))
            return fallback;

        var supported = string.Create(CultureInfo.InvariantCulture, $"a list of {count} numbers");
        return value.ValueKind == JsonValueKind.Array && value.GetArrayLength() == count
            ? [.. value.EnumerateArray().Select(v => v.ValueKind == JsonValueKind.Number && v.TryGetDouble(out var n) && double.IsFinite(n) ? n : throw Refuse(key, supported))]
            : throw Refuse(key, supported);
    }

    /// <summary>A list of strings, each one of those supported.</summary>
    public string[] Choices(string key, string[] supported, string[]? fallback)
    {
        var text = "a list of " + string.Join(", ", supported);
        if (!Has(key, out var value))
            return fallback ?? throw Refuse(key, text);

        return value.ValueKind == JsonValueKind.Array && value.GetArrayLength() > 0
            ? [.. value.EnumerateArray().Select(v => Array.Find(supported, s => IsString(v, s)) ?? throw Refuse(key, text))]
            : throw Refuse(key, text);
    }

    /// <summary>A string, one of those supported.</summary>
    public string Choice(string key, string fallback, params string[] supported)
    {
        if (!Has(key, out var value))
            return Array.IndexOf(supported, fallback) >= 0 ? fallback : throw Refuse(key, string.Join(", ", supported));

        return Array.Find(supported, s => IsString(value, s)) ?? throw Refuse(key, string.Join(", ", supported));
    }

    /// <summary>Refuses a number other than the supported one; a missing key stands for the library default.</summary>
    public void ExpectNumber(string key, double supported, double fallback)
    {
        if (Number(key, fallback) != supported)
            throw Refuse(key, supported.ToString(CultureInfo.InvariantCulture) + (Has(key, out _) ? string.Empty : $" (missing means {fallback.ToString(CultureInfo.InvariantCulture)})"));
    }

    /// <summary>Refuses a truth value other than the supported one; a missing key stands for the library default.</summary>
    public void ExpectBoolean(string key, bool supported, bool fallback)
    {
        var right = Has(key, out var value)
            ? value.ValueKind == (supported ? JsonValueKind.True : JsonValueKind.False)
            : fallback == supported;
        if (!right)
            throw Refuse(key, supported ? "true" : "false");
    }

    /// <summary>Refuses any value but null.</summary>
    public void ExpectNull(string key)
    {
        if (Has(key, out _))
            throw Refuse(key, "null");
    }

    /// <summary>Refuses the config of another model: a class, type or list of architectures that is there and names none of those supported.</summary>
    public void ExpectModel(string key, params string[] supported)
    {
        if (!Has(key, out var value))
            return;

        var names = value.ValueKind == JsonValueKind.Array ? [.. value.EnumerateArray()] : new[] { value };
        if (!names.Any(n => supported.Any(s => IsString(n, s))))
            throw new CheckpointException($"'{File}' is the config of another model: {key} is {Text(value)}; supported: {string.Join(", ", supported)}.", File);
    }

    // Null stands for a missing key, as in the library that writes these files.
    bool Has(string key, out JsonElement value) => _root.TryGetProperty(key, out value) && value.ValueKind != JsonValueKind.Null;

    static int? ToInteger(JsonElement value, int maximum) =>
        value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out var number) && number >= 1 && number <= maximum ? number : null;

    static string Range(int maximum) => string.Create(CultureInfo.InvariantCulture, $"from 1 to {maximum}");

    static bool IsString(JsonElement value, string text) => value.ValueKind == JsonValueKind.String && value.ValueEquals(text);

    static string Text(JsonElement value)
    {
        const int longest = 200;
        var text = value.GetRawText().ReplaceLineEndings(" ");
        return text.Length <= longest ? text : text[..longest] + "...";
    }
}
