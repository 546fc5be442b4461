using FramePainter.Tensors;

namespace FramePainter.Weights;

/// <summary>
/// The sparse control encoder's sizes. No config file carries them: widths come from the tensors' shapes, group counts are
/// those of the original code.
/// </summary>
sealed record ControlEncoderConfig
{
    /// <summary>Channels of the control picture. Always 3.</summary>
    public const int PictureChannels = 3;

    /// <summary>Groups of the stem's norms.</summary>
    public const int StemGroups = 2;

    /// <summary>Groups of the norms after the residual blocks.</summary>
    public const int MiddleGroups = 8;

    /// <summary>Groups of each residual block's norms.</summary>
    public static IReadOnlyList<int> ResidualGroups { get; } = [4, 8];

    /// <summary>Widths of the stem's three convolutions.</summary>
    public required IReadOnlyList<int> StemWidths { get; init; }

    /// <summary>Widths of the two residual blocks.</summary>
    public required IReadOnlyList<int> ResidualWidths { get; init; }

    /// <summary>Width of the timestep's sinusoid.</summary>
    public required int SinusoidWidth { get; init; }

    /// <summary>Width of the time embedding.</summary>
    public required int TimeEmbeddingWidth { get; init; }

    /// <summary>Width of the features: the U-Net's first.</summary>
    public required int OutputWidth { get; init; }

    /// <summary>How much smaller the features are than the picture, on each side: one stride-2 convolution in the stem, one after each residual block.</summary>
    public const int Factor = 8;

    // The tensors that settle the sizes; all others must then fit.
    static readonly (string Name, int Rank)[] s_deciding =
    [
        ("embedding.0.weight", 4), ("embedding.3.weight", 4), ("embedding.6.weight", 4),
        ("down_res.0.conv1.weight", 4), ("down_res.1.conv1.weight", 4),
        ("time_embedding.linear_1.weight", 2), ("mid_convs.1.weight", 4),
    ];

    /// <summary>Derives the sizes.</summary>
    /// <param name="shapes">Shape of a tensor by its name in the file; null when there is no such tensor.</param>
    /// <param name="file">The file's name, for errors.</param>
    /// <param name="unetWidth">The U-Net's first width, which the features must have.</param>
    /// <param name="issues">Receives what stands against it.</param>
    /// <returns>The sizes, or null when <paramref name="issues"/> grew.</returns>
    public static ControlEncoderConfig? Derive(Func<string, Shape?> shapes, string file, int unetWidth, ICollection<CheckpointIssue> issues)
    {
        var before = issues.Count;
        void Misshaped(string name, Shape found, string expected) =>
            issues.Add(new(CheckpointIssueKind.Misshaped, TensorNames.ControlPrefix + name, file, $"expected {expected}, found {found}"));

        var found = new Shape[s_deciding.Length];
        for (var i = 0; i < found.Length; i++)
        {
            var (name, rank) = s_deciding[i];
            if (shapes(name) is not { } shape)
                issues.Add(new(CheckpointIssueKind.Missing, TensorNames.ControlPrefix + name, file, "the encoder's widths are read from it"));
            else if (shape.Rank != rank || shape.Extents.ContainsAnyExceptInRange(1, int.MaxValue))
                Misshaped(name, shape, $"{rank} extents of at least 1");
            else
                found[i] = shape;
        }

        if (issues.Count > before)
            return null;

        var config = new ControlEncoderConfig
        {
            StemWidths = [found[0][0], found[1][0], found[2][0]],
            ResidualWidths = [found[3][0], found[4][0]],
            TimeEmbeddingWidth = found[5][0],
            SinusoidWidth = found[5][1],
            OutputWidth = found[6][0],
        };

        for (var i = 0; i < config.StemWidths.Count; i++)
        {
            if (config.StemWidths[i] % StemGroups != 0)
                Misshaped(s_deciding[i].Name, found[i], $"a width that {StemGroups} groups divide");
        }

        for (var i = 0; i < config.ResidualWidths.Count; i++)
        {
            var input = i == 0 ? config.StemWidths[^1] : config.ResidualWidths[i - 1];
            var divisor = i == config.ResidualWidths.Count - 1 ? Math.Max(ResidualGroups[i], MiddleGroups) : ResidualGroups[i];
            if (config.ResidualWidths[i] % divisor != 0 || input % ResidualGroups[i] != 0)
                Misshaped(s_deciding[3 + i].Name, found[3 + i], $"widths that {divisor} groups divide");
        }

        if (config.SinusoidWidth % 2 != 0)
            Misshaped(s_deciding[5].Name, found[5], "an even sinusoid (sines and cosines)");

        if (config.OutputWidth != unetWidth)
            Misshaped(s_deciding[6].Name, found[6], $"the U-Net's first width, {unetWidth}");

        return issues.Count > before ? null : config;
    }
}
