using System.Text.Json;

namespace FramePainter.Weights;

/// <summary>The U-Net's sizes, from <c>unet/config.json</c>. Lists have an entry a level, outermost level first.</summary>
sealed record UNetConfig
{
    const string ModelClass = "UNetSpatioTemporalConditionModel";

    /// <summary>Name of a down block with transformers.</summary>
    public const string CrossAttentionDown = "CrossAttnDownBlockSpatioTemporal";

    /// <summary>Name of a down block without.</summary>
    public const string PlainDown = "DownBlockSpatioTemporal";

    /// <summary>Name of an up block with transformers.</summary>
    public const string CrossAttentionUp = "CrossAttnUpBlockSpatioTemporal";

    /// <summary>Name of an up block without.</summary>
    public const string PlainUp = "UpBlockSpatioTemporal";

    /// <summary>Channels of the input: noisy latents, then image latents. Always 8.</summary>
    public const int InChannels = 8;

    /// <summary>Channels of the output. Always 4.</summary>
    public const int OutChannels = 4;

    /// <summary>Width of each level.</summary>
    public required IReadOnlyList<int> BlockOutChannels { get; init; }

    /// <summary>Whether each down block has transformers.</summary>
    public required IReadOnlyList<bool> DownAttention { get; init; }

    /// <summary>Whether each up block has transformers, innermost level first.</summary>
    public required IReadOnlyList<bool> UpAttention { get; init; }

    /// <summary>Residual blocks of each down block; up blocks have one more.</summary>
    public required IReadOnlyList<int> LayersPerBlock { get; init; }

    /// <summary>Transformer blocks in each transformer of a level.</summary>
    public required IReadOnlyList<int> TransformerLayers { get; init; }

    /// <summary>Heads of each level; head width = channels / heads.</summary>
    public required IReadOnlyList<int> AttentionHeads { get; init; }

    /// <summary>Width of the context (the CLIP row) at each level.</summary>
    public required IReadOnlyList<int> CrossAttentionWidths { get; init; }

    /// <summary>Width of the sinusoid of each added time id.</summary>
    public required int AddedTimeWidth { get; init; }

    /// <summary>Groups of every group norm.</summary>
    public int NormGroups { get; init; } = 32;

    /// <summary>Added time ids: frame rate, motion bucket, noise strength.</summary>
    public const int AddedTimeIds = 3;

    /// <summary>Number of levels.</summary>
    public int Levels => BlockOutChannels.Count;

    /// <summary>Width of the time embedding: four times the first level's.</summary>
    public int TimeEmbeddingWidth => BlockOutChannels[0] * 4;

    /// <summary>Reads the config.</summary>
    /// <param name="file">The path of config.json.</param>
    /// <exception cref="CheckpointException">It is unreadable, of another model, or a value is not supported.</exception>
    public static UNetConfig Load(string file) => Read(ConfigReader.Open(file));

    /// <summary>Reads the config from JSON already parsed.</summary>
    /// <param name="json">The config's object.</param>
    /// <param name="file">Its name, for errors.</param>
    /// <exception cref="CheckpointException">It is of another model, or a value is not supported.</exception>
    public static UNetConfig Parse(JsonElement json, string file) => Read(new ConfigReader(json, file));

    // Missing keys take the defaults of the library's class, which are the published model's values.
    static UNetConfig Read(ConfigReader json)
    {
        json.ExpectModel("_class_name", ModelClass);
        json.ExpectNumber("in_channels", InChannels, InChannels);
        json.ExpectNumber("out_channels", OutChannels, OutChannels);
        var widths = json.Integers("block_out_channels", [320, 640, 1280, 1280]);
        var levels = widths.Length;
        var config = new UNetConfig
        {
            BlockOutChannels = widths,
            DownAttention = BlockTypes(json, "down_block_types", levels, CrossAttentionDown, PlainDown, [CrossAttentionDown, CrossAttentionDown, CrossAttentionDown, PlainDown]),
            UpAttention = BlockTypes(json, "up_block_types", levels, CrossAttentionUp, PlainUp, [PlainUp, CrossAttentionUp, CrossAttentionUp, CrossAttentionUp]),
            LayersPerBlock = json.PerLevel("layers_per_block", levels, [2], ConfigReader.MostLayersOfBlock),
            TransformerLayers = json.PerLevel("transformer_layers_per_block", levels, [1], ConfigReader.MostLayersOfBlock),
            AttentionHeads = json.PerLevel("num_attention_heads", levels, [5, 10, 20, 20]),
            CrossAttentionWidths = json.PerLevel("cross_attention_dim", levels, [1024]),
            AddedTimeWidth = json.Integer("addition_time_embed_dim", 256),
            NormGroups = json.Integer("norm_num_groups", 32),
        };

        json.ExpectNumber("projection_class_embeddings_input_dim", AddedTimeIds * config.AddedTimeWidth, 768);
        if (config.AddedTimeWidth % 2 != 0)
            throw json.Refuse("addition_time_embed_dim", "an even integer (sines and cosines)");

        for (var level = 0; level < levels; level++)
        {
            if (widths[level] % 2 != 0 || widths[level] % config.NormGroups != 0)
                throw json.Refuse("block_out_channels", $"even widths that norm_num_groups ({config.NormGroups}) divides");

            if (widths[level] % config.AttentionHeads[level] != 0)
                throw json.Refuse("num_attention_heads", $"counts that divide block_out_channels ({string.Join(", ", widths)})");
        }

        return config;
    }

    static bool[] BlockTypes(ConfigReader json, string key, int levels, string withAttention, string plain, string[] fallback)
    {
        var types = json.Choices(key, [withAttention, plain], fallback);
        return types.Length == levels
            ? [.. types.Select(t => t == withAttention)]
            : throw json.Refuse(key, $"a list of {levels} (one a level of block_out_channels)");
    }
}
