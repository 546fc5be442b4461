using System.Globalization;

namespace FramePainter.Toy;

/// <summary>One of the toy's held-out pairs: 64×64 PNG files, whole, as they would lie on disk.</summary>
public sealed class ToySample
{
    const string Prefix = "pairs/";
    const string SourceSuffix = "-source.png";

    // Pair NNN was drawn by the original pipeline with seed 3413 + NNN (README.md of this package).
    const int FirstSeed = 3413;

    ToySample(string name)
    {
        Name = name;
        Seed = FirstSeed + int.Parse(name, NumberStyles.None, CultureInfo.InvariantCulture);
    }

    /// <summary>The pair's number as three digits, <c>000</c> to <c>023</c>.</summary>
    public string Name { get; }

    /// <summary>The seed of the edit in <see cref="Original"/>: 3413 plus the pair's number.</summary>
    public long Seed { get; }

    /// <summary>PNG file of the picture to edit, RGB.</summary>
    public ReadOnlyMemory<byte> Source => Read("source");

    /// <summary>PNG file of the sketch: white outlines on black where the shapes stand in the target.</summary>
    public ReadOnlyMemory<byte> Sketch => Read("sketch");

    /// <summary>PNG file of the true target.</summary>
    public ReadOnlyMemory<byte> Target => Read("target");

    /// <summary>PNG file of the edit that the original pipeline made in float32: 25 steps, guidance 3.0, control scale 0.8, <see cref="Seed"/>, float32 draws.</summary>
    public ReadOnlyMemory<byte> Original => Read("original");

    /// <summary>The pair's name.</summary>
    public override string ToString() => Name;

    internal static IReadOnlyList<ToySample> All() =>
    [
        .. typeof(ToySample).Assembly.GetManifestResourceNames()
            .Where(name => name.StartsWith(Prefix, StringComparison.Ordinal) && name.EndsWith(SourceSuffix, StringComparison.Ordinal))
            .Order(StringComparer.Ordinal)
            .Select(name => new ToySample(name[Prefix.Length..^SourceSuffix.Length])),
    ];

    byte[] Read(string part) => ToyFile.ReadResource($"{Prefix}{Name}-{part}.png");
}
