namespace FramePainter;

/// <summary>
/// What an edit was made with: enough to make it again from the same picture and signal. Written as one JSON object (<see cref="ToJson"/>), which fits
/// beside the picture or into a PNG's text.
/// </summary>
public sealed record EditMetadata
{
    /// <summary>Version of the library that made the edit.</summary>
    public required string Version { get; init; }

    /// <summary>The options, seed included; without callbacks. <see cref="EditOptions.Size"/> is the size that the edit really worked in.</summary>
    public required EditOptions Options { get; init; }

    /// <summary>How the edited frame saw the source.</summary>
    public required AttentionKind Attention { get; init; }

    /// <summary>Width of the caller's picture in pixels.</summary>
    public required int Width { get; init; }

    /// <summary>Height of the caller's picture in pixels.</summary>
    public required int Height { get; init; }

    /// <summary>The device, for people. Devices differ by rounding.</summary>
    public required string Device { get; init; }

    /// <summary>What the signal was, for people: "sketch", "coarse edit", with or without drag points.</summary>
    public required string Signal { get; init; }

    /// <summary>The signal's drag points, in the caller's pixels; empty when it had none.</summary>
    public IReadOnlyList<DragPoint> Points { get; init; } = [];

    /// <summary>SHA-256 of each file of weights, by part and file name, in lower-case hexadecimal; empty unless the painter was opened with <see cref="PainterOptions.HashModel"/>.</summary>
    public IReadOnlyDictionary<string, string> ModelHashes { get; init; } = new Dictionary<string, string>();

    /// <summary>The signal itself but for its drag points, for <see cref="Painter.Replay"/>; null to leave it out of the text.</summary>
    public SignalRecord? Record { get; init; }

    /// <summary>SHA-256 of the caller's picture as RGB rows, in lower-case hexadecimal: tells whether a replay starts from the same picture. Null where it is not known.</summary>
    public string? PictureHash { get; init; }

    /// <summary>Makes the signal again.</summary>
    /// <param name="image">The picture that was edited; a moved region is cut out of it.</param>
    /// <exception cref="MetadataException">The metadata does not hold the signal.</exception>
    /// <exception cref="SignalException">The signal does not fit the picture.</exception>
    public Signal ToSignal(PixelImage image)
    {
        ArgumentNullException.ThrowIfNull(image);
        return MakeSignal(image, CancellationToken.None);
    }

    /// <summary>Makes the signal again; its drawing can be cancelled.</summary>
    internal Signal MakeSignal(PixelImage image, CancellationToken cancel)
    {
        var picture = Record?.ToSignal(image, cancel);
        if (Record is null || (picture is null && Points.Count == 0))
        {
            throw new MetadataException("The metadata does not hold the signal; only an edit whose metadata was written with it can be made again.");
        }

        var points = Points.Count > 0 ? FramePainter.Signal.Points(Points) : null;
        return (picture, points) switch
        {
            (not null, not null) => FramePainter.Signal.Combine(picture, points),
            _ => (picture ?? points)!,
        };
    }

    /// <summary>The hash that <see cref="PictureHash"/> holds.</summary>
    internal static string HashOf(PixelImage image) => Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(image.ToRgb().Pixels));

    /// <summary>The metadata as a JSON object on one line, the same text for the same metadata. ASCII alone.</summary>
    /// <exception cref="MetadataException">The signal's picture is too large for a text.</exception>
    public string ToJson() => EditMetadataJson.Write(this);

    /// <summary>Reads metadata that <see cref="ToJson"/> wrote. The text may come from anywhere: all of it is checked.</summary>
    /// <param name="json">The text.</param>
    /// <exception cref="MetadataException">It is no such text, or holds a value out of range.</exception>
    public static EditMetadata FromJson(string json)
    {
        ArgumentNullException.ThrowIfNull(json);
        return EditMetadataJson.Read(json);
    }
}
