using System.Text.Json;

namespace FramePainter.Weights;

/// <summary>The CLIP vision tower's sizes, from <c>image_encoder/config.json</c>.</summary>
sealed record ClipVisionConfig
{
    /// <summary>Channels of a picture. Always 3.</summary>
    public const int Channels = 3;

    /// <summary>Width of the tokens.</summary>
    public required int HiddenSize { get; init; }

    /// <summary>Width inside the feed-forward layers.</summary>
    public required int IntermediateSize { get; init; }

    /// <summary>Width of the row that comes out: the U-Net's context.</summary>
    public required int ProjectionSize { get; init; }

    /// <summary>Number of layers.</summary>
    public required int Layers { get; init; }

    /// <summary>Attention heads.</summary>
    public required int Heads { get; init; }

    /// <summary>Side of the square picture, in pixels.</summary>
    public required int ImageSize { get; init; }

    /// <summary>Side of a patch, in pixels.</summary>
    public required int PatchSize { get; init; }

    /// <summary>Whether the activation is x·sigmoid(1.702 x) (<c>quick_gelu</c>) in place of erf GELU (<c>gelu</c>).</summary>
    public required bool QuickGelu { get; init; }

    /// <summary>Epsilon of every layer norm.</summary>
    public required double LayerNormEpsilon { get; init; }

    /// <summary>Patches on each side of the picture.</summary>
    public int PatchesPerSide => ImageSize / PatchSize;

    /// <summary>Tokens: the class token and one a patch.</summary>
    public int Tokens => 1 + (PatchesPerSide * PatchesPerSide);

    /// <summary>Reads the config.</summary>
    /// <param name="file">The path of config.json.</param>
    /// <exception cref="CheckpointException">It is unreadable, of another model, or a value is not supported.</exception>
    public static ClipVisionConfig Load(string file) => Read(ConfigReader.Open(file));

    /// <summary>Reads the config from JSON already parsed.</summary>
    /// <param name="json">The config's object.</param>
    /// <param name="file">Its name, for errors.</param>
    /// <exception cref="CheckpointException">It is of another model, or a value is not supported.</exception>
    public static ClipVisionConfig Parse(JsonElement json, string file) => Read(new ConfigReader(json, file));

    // The library leaves out values that equal its defaults (those of ViT-B/32), so a missing key means the default.
    static ClipVisionConfig Read(ConfigReader json)
    {
        json.ExpectModel("model_type", "clip_vision_model");
        json.ExpectModel("architectures", "CLIPVisionModelWithProjection");
        json.ExpectNumber("num_channels", Channels, Channels);
        var config = new ClipVisionConfig
        {
            HiddenSize = json.Integer("hidden_size", 768),
            IntermediateSize = json.Integer("intermediate_size", 3072),
            ProjectionSize = json.Integer("projection_dim", 512),
            Layers = json.Integer("num_hidden_layers", 12, ConfigReader.MostLayers),
            Heads = json.Integer("num_attention_heads", 12),
            ImageSize = json.Integer("image_size", 224),
            PatchSize = json.Integer("patch_size", 32),
            QuickGelu = json.Choice("hidden_act", "quick_gelu", "gelu", "quick_gelu") == "quick_gelu",
            LayerNormEpsilon = json.Number("layer_norm_eps", 1e-5, 0),
        };

        if (config.HiddenSize % config.Heads != 0)
            throw json.Refuse("num_attention_heads", $"a count that divides hidden_size ({config.HiddenSize})");

        return config.ImageSize % config.PatchSize == 0
            ? config
            : throw json.Refuse("patch_size", $"a size that divides image_size ({config.ImageSize})");
    }
}
