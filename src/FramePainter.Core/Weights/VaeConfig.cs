using System.Text.Json;

namespace FramePainter.Weights;

/// <summary>The VAE's sizes, from <c>vae/config.json</c>.</summary>
sealed record VaeConfig
{
    const string ModelClass = "AutoencoderKLTemporalDecoder";
    const string DownBlock = "DownEncoderBlock2D";

    /// <summary>Channels of a picture. Always 3.</summary>
    public const int PictureChannels = 3;

    /// <summary>Channels of the latents. Always 4.</summary>
    public const int LatentChannels = 4;

    /// <summary>Width of each level, outermost first.</summary>
    public required IReadOnlyList<int> BlockOutChannels { get; init; }

    /// <summary>Residual blocks of each encoder block; decoder blocks have one more.</summary>
    public required int LayersPerBlock { get; init; }

    /// <summary>What the U-Net's latents are divided by before decoding.</summary>
    public required double ScalingFactor { get; init; }

    /// <summary>Groups of every group norm.</summary>
    public int NormGroups { get; init; } = 32;

    /// <summary>Number of levels.</summary>
    public int Levels => BlockOutChannels.Count;

    /// <summary>How much smaller the latents are than the picture, on each side.</summary>
    public int Factor => 1 << (Levels - 1);

    /// <summary>Reads the config.</summary>
    /// <param name="file">The path of config.json.</param>
    /// <exception cref="CheckpointException">It is unreadable, of another model, or a value is not supported.</exception>
    public static VaeConfig Load(string file) => Read(ConfigReader.Open(file));

    /// <summary>Reads the config from JSON already parsed.</summary>
    /// <param name="json">The config's object.</param>
    /// <param name="file">Its name, for errors.</param>
    /// <exception cref="CheckpointException">It is of another model, or a value is not supported.</exception>
    public static VaeConfig Parse(JsonElement json, string file) => Read(new ConfigReader(json, file));

    static VaeConfig Read(ConfigReader json)
    {
        json.ExpectModel("_class_name", ModelClass);
        json.ExpectNumber("in_channels", PictureChannels, PictureChannels);
        json.ExpectNumber("out_channels", PictureChannels, PictureChannels);
        json.ExpectNumber("latent_channels", LatentChannels, LatentChannels);

        // The library's default of a single level of 64 is no model that was ever published, so these two must be there.
        var widths = json.Integers("block_out_channels", null);
        if (json.Choices("down_block_types", [DownBlock], null).Length != widths.Length)
            throw json.Refuse("down_block_types", $"a list of {widths.Length} (one a level of block_out_channels)");

        var config = new VaeConfig
        {
            BlockOutChannels = widths,
            LayersPerBlock = json.Integer("layers_per_block", 1, ConfigReader.MostLayersOfBlock),
            ScalingFactor = json.Number("scaling_factor", 0.18215, 0),
            NormGroups = json.Integer("norm_num_groups", 32),
        };
        return widths.All(w => w % config.NormGroups == 0)
            ? config
            : throw json.Refuse("block_out_channels", $"widths that norm_num_groups ({config.NormGroups}) divides");
    }
}
