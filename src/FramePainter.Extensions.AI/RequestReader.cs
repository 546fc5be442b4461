using System.Globalization;
using System.Text.Json;
using FramePainter.Imaging;
using Microsoft.Extensions.AI;

namespace FramePainter.Extensions.AI;

/// <summary>Reads a generator's request into what a painter takes. Whatever cannot be met is refused by name.</summary>
static class RequestReader
{
    /// <summary>The most pictures of one request.</summary>
    public const int MaxCount = 64;

    /// <summary>The picture to edit.</summary>
    /// <exception cref="ImageException">There is not exactly one picture, or it cannot be decoded.</exception>
    public static PixelImage Picture(ImageGenerationRequest request)
    {
        AIContent[] images = [.. request.OriginalImages ?? []];
        return images.Length == 1
            ? Decode(images[0], "The original image")
            : throw new ImageException($"The request has {images.Length} original images; FramePainter edits exactly one. It makes no pictures from text alone.");
    }

    /// <summary>Signal and options: of the raw request, or of the additional properties.</summary>
    /// <exception cref="SignalException">There is no signal, or more than one.</exception>
    /// <exception cref="OptionException">A property is unknown or of the wrong kind.</exception>
    public static EditRequest Edit(ImageGenerationOptions? options, IImageGenerator generator)
    {
        var raw = options?.RawRepresentationFactory?.Invoke(generator);
        var properties = options?.AdditionalProperties?.Where(p => p.Key.StartsWith(EditProperties.Prefix, StringComparison.Ordinal)).ToArray() ?? [];
        if (properties.FirstOrDefault(p => !EditProperties.All.Contains(p.Key, StringComparer.Ordinal)).Key is { } unknown)
        {
            throw new OptionException(unknown, $"There is no property '{unknown}'; known are {string.Join(", ", EditProperties.All)}.");
        }

        var given = properties.Where(p => p.Value is not null).ToDictionary(p => p.Key, p => p.Value!, StringComparer.Ordinal);
        return raw switch
        {
            EditRequest or Signal when given.Count > 0 =>
                throw new SignalException($"The signal is given by {nameof(ImageGenerationOptions.RawRepresentationFactory)}; take {string.Join(", ", given.Keys)} out of the additional properties."),
            EditRequest request => request,
            Signal signal => new EditRequest(signal),
            null => FromProperties(given),
            _ => throw new SignalException($"{nameof(ImageGenerationOptions.RawRepresentationFactory)} gave a {raw.GetType().Name}; FramePainter takes an {nameof(EditRequest)} or a {nameof(Signal)}."),
        };
    }

    /// <summary>The file format that is asked for; PNG when none is.</summary>
    /// <exception cref="OptionException">It cannot be written.</exception>
    public static (ImageFormat Format, string MediaType) Format(ImageGenerationOptions? options)
    {
        if (options?.ResponseFormat is { } response && response != ImageGenerationResponseFormat.Data)
        {
            throw new OptionException(nameof(ImageGenerationOptions.ResponseFormat), $"The response format is {response}; pictures are made here and come as Data.");
        }

        return options?.MediaType switch
        {
            null or "image/png" => (ImageFormat.Png, "image/png"),
            "image/jpeg" => (ImageFormat.Jpeg, "image/jpeg"),
            "image/webp" => (ImageFormat.WebP, "image/webp"),
            var other => throw new OptionException(nameof(ImageGenerationOptions.MediaType), $"The media type is {other}; image/png, image/jpeg and image/webp can be written."),
        };
    }

    /// <summary>How many variants are asked for; one when nothing is said.</summary>
    /// <exception cref="OptionException">It is out of range.</exception>
    public static int Count(ImageGenerationOptions? options) => options?.Count switch
    {
        null => 1,
        >= 1 and <= MaxCount and { } count => count,
        var count => throw new OptionException(nameof(ImageGenerationOptions.Count), $"Count is {count}; it must be from 1 to {MaxCount}."),
    };

    /// <summary>Refuses a size that the result will not have.</summary>
    /// <exception cref="OptionException">The size is not the picture's.</exception>
    public static void CheckSize(ImageGenerationOptions? options, PixelImage picture)
    {
        if (options?.ImageSize is { } size && (size.Width != picture.Width || size.Height != picture.Height))
        {
            throw new OptionException(
                nameof(ImageGenerationOptions.ImageSize),
                $"The image size is {size.Width}×{size.Height}; an edit has the size of its picture, {picture.Width}×{picture.Height}. The working size is {nameof(EditOptions)}.{nameof(EditOptions.Size)}.");
        }
    }

    static EditRequest FromProperties(Dictionary<string, object> given)
    {
        string[] signals = [.. given.Keys.Where(k => k is EditProperties.Signal or EditProperties.Sketch or EditProperties.Coarse)];
        if (signals.Length != 1)
        {
            throw new SignalException(signals.Length == 0
                ? $"The request has no signal: FramePainter edits by a sketch or another signal, not by the prompt. Give an {nameof(EditRequest)} by {nameof(ImageGenerationOptions.RawRepresentationFactory)}, or '{EditProperties.Sketch}' among the additional properties."
                : $"The request has several signals ({string.Join(", ", signals)}); give one, or combine them in an {nameof(EditRequest)}.");
        }

        var value = given[signals[0]];
        var signal = signals[0] switch
        {
            EditProperties.Sketch => Signal.Sketch(Decode(value, $"'{EditProperties.Sketch}'")),
            EditProperties.Coarse => Signal.Coarse(Decode(value, $"'{EditProperties.Coarse}'")),
            _ => value as Signal ?? throw new SignalException($"'{EditProperties.Signal}' is a {value.GetType().Name}, not a {nameof(Signal)}."),
        };
        var options = EditOptions.Default;
        return new EditRequest(signal)
        {
            Options = options with
            {
                Steps = checked((int)Whole(given, EditProperties.Steps, options.Steps, int.MinValue, int.MaxValue)),
                Seed = Whole(given, EditProperties.Seed, options.Seed, long.MinValue, long.MaxValue),
                ControlScale = Number(given, EditProperties.ControlScale, options.ControlScale),
                Guidance = Number(given, EditProperties.Guidance, options.Guidance),
            },
        };
    }

    static PixelImage Decode(object value, string name) => value switch
    {
        PixelImage image => image,
        byte[] bytes => ImageFile.Load(bytes),
        ReadOnlyMemory<byte> bytes => ImageFile.Load(bytes.Span),
        DataContent data when data.HasTopLevelMediaType("image") => ImageFile.Load(data.Data.Span),
        DataContent data => throw new ImageException($"{name} is of media type {data.MediaType}; PNG, JPEG and WebP pictures are read."),
        _ => throw new ImageException($"{name} is a {value.GetType().Name}; give the picture's bytes, as {nameof(DataContent)}: nothing is fetched from elsewhere."),
    };

    static long Whole(Dictionary<string, object> given, string key, long standard, long low, long high)
    {
        if (!given.TryGetValue(key, out var value))
        {
            return standard;
        }

        long? read = value switch
        {
            int i => i,
            long l => l,
            JsonElement { ValueKind: JsonValueKind.Number } json when json.TryGetInt64(out var l) => l,
            _ => null,
        };
        return read >= low && read <= high ? read.Value : throw Wrong(key, value, "a whole number");
    }

    static float Number(Dictionary<string, object> given, string key, float standard)
    {
        if (!given.TryGetValue(key, out var value))
        {
            return standard;
        }

        return value switch
        {
            float f => f,
            double d => (float)d,
            int i => i,
            JsonElement { ValueKind: JsonValueKind.Number } json => json.GetSingle(),
            _ => throw Wrong(key, value, "a number"),
        };
    }

    static OptionException Wrong(string key, object value, string kind) =>
        new(key, string.Create(CultureInfo.InvariantCulture, $"'{key}' is {value}; it must be {kind}."));
}
