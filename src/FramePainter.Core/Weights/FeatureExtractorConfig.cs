using System.Text.Json;

namespace FramePainter.Weights;

/// <summary>
/// How the CLIP tower's pixels are normalised, from <c>feature_extractor/preprocessor_config.json</c>. Sizes and crops in it are
/// ignored: the pipeline resizes by itself.
/// </summary>
/// <param name="Mean">Mean of R, G, B on 0..1.</param>
/// <param name="Deviation">Standard deviation of R, G, B.</param>
sealed record FeatureExtractorConfig(IReadOnlyList<double> Mean, IReadOnlyList<double> Deviation)
{
    /// <summary>Reads the config.</summary>
    /// <param name="file">The path of preprocessor_config.json.</param>
    /// <exception cref="CheckpointException">It is unreadable, of another preprocessor, or a value is not supported.</exception>
    public static FeatureExtractorConfig Load(string file) => Read(ConfigReader.Open(file));

    /// <summary>Reads the config from JSON already parsed.</summary>
    /// <param name="json">The config's object.</param>
    /// <param name="file">Its name, for errors.</param>
    /// <exception cref="CheckpointException">It is of another preprocessor, or a value is not supported.</exception>
    public static FeatureExtractorConfig Parse(JsonElement json, string file) => Read(new ConfigReader(json, file));

    static FeatureExtractorConfig Read(ConfigReader json)
    {
        const int channels = 3;
        json.ExpectModel("image_processor_type", "CLIPImageProcessor", "CLIPImageProcessorFast", "CLIPFeatureExtractor");
        json.ExpectModel("feature_extractor_type", "CLIPFeatureExtractor", "CLIPImageProcessor");

        // The defaults are OpenAI CLIP's, as the library's.
        var mean = json.Numbers("image_mean", channels, [0.48145466, 0.4578275, 0.40821073]);
        var deviation = json.Numbers("image_std", channels, [0.26862954, 0.26130258, 0.27577711]);
        return deviation.All(d => d > 0) ? new(mean, deviation) : throw json.Refuse("image_std", "three numbers above 0");
    }
}
