using System.Text.RegularExpressions;

namespace FramePainter.Pipeline;

/// <summary>Whether a replay can give the pixels of its edit: refuses what cannot, warns of what may not.</summary>
static partial class ReplayCheck
{
    /// <summary>Compares an edit's metadata with what there is to replay it.</summary>
    /// <exception cref="MetadataException">The picture, the model or the kind of attention is another.</exception>
    public static IReadOnlyList<EditWarning> Run(PixelImage image, EditMetadata metadata, AttentionKind attention, string device, IReadOnlyDictionary<string, string> models)
    {
        if ((image.Width, image.Height) != (metadata.Width, metadata.Height))
        {
            throw new MetadataException($"The edit was of a picture of {metadata.Width}×{metadata.Height} pixels; this one has {image.Width}×{image.Height}.");
        }

        if (metadata.PictureHash is { } hash && !string.Equals(hash, EditMetadata.HashOf(image), StringComparison.Ordinal))
        {
            throw new MetadataException("The edit was of another picture: the pixels differ. Give the very picture that was edited, not a scaled or recompressed copy.");
        }

        if (metadata.Attention != attention)
        {
            throw new MetadataException($"The edit was made with {metadata.Attention} attention; this painter has {attention}.");
        }

        var warnings = new List<string>();
        if (metadata.PictureHash is null)
        {
            warnings.Add("the metadata has no hash of the picture");
        }

        if (metadata.ModelHashes.Count == 0 || models.Count == 0)
        {
            warnings.Add(metadata.ModelHashes.Count == 0 ? "the metadata names no model" : $"this painter's model was not hashed ({nameof(PainterOptions)}.{nameof(PainterOptions.HashModel)})");
        }
        else
        {
            CompareModels(metadata.ModelHashes, models);
        }

        if (!string.Equals(WithoutThreads(metadata.Device), WithoutThreads(device), StringComparison.Ordinal))
        {
            warnings.Add($"it ran on '{metadata.Device}', and this is '{device}'");
        }

        if (!string.Equals(metadata.Version, EditPipeline.Version, StringComparison.Ordinal))
        {
            warnings.Add($"it was made by version {metadata.Version}, and this is {EditPipeline.Version}");
        }

        return warnings.Count == 0 ? [] : [new EditWarning(EditWarningKind.ReplayUnverified, $"The replay may differ from its edit: {string.Join("; ", warnings)}.")];
    }

    /// <summary>A device's description but for the number of threads, which no result depends on.</summary>
    static string WithoutThreads(string device) => Threads().Replace(device, "CPU, ");

    [GeneratedRegex("^CPU, [0-9]+ threads?, ", RegexOptions.CultureInvariant, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Threads();

    static void CompareModels(IReadOnlyDictionary<string, string> expected, IReadOnlyDictionary<string, string> actual)
    {
        foreach (var file in expected.Keys.Union(actual.Keys, StringComparer.Ordinal).Order(StringComparer.Ordinal))
        {
            var (was, present) = (expected.GetValueOrDefault(file), actual.GetValueOrDefault(file));
            if (!string.Equals(was, present, StringComparison.OrdinalIgnoreCase))
            {
                throw new MetadataException($"The edit was made with another model: '{file}' {(was is null ? "was not part of it" : present is null ? "is not part of this one" : "has another SHA-256")}. Open the model that made the edit.");
            }
        }
    }
}
