using System.Text;
using System.Text.Json;

namespace FramePainter.Weights;

/// <summary>Writes a preset's configs as the JSON files of the real layout.</summary>
static class PresetConfigs
{
    /// <summary>The config files: path within the checkpoint and text.</summary>
    public static IReadOnlyList<(string Path, byte[] Json)> Files(CheckpointPreset preset) =>
    [
        ("svd/model_index.json", Json(ModelIndex)),
        ("svd/unet/config.json", Json(j => UNet(j, preset))),
        ("svd/vae/config.json", Json(j => Vae(j, preset.Vae))),
        ("svd/image_encoder/config.json", Json(j => Clip(j, preset.Clip))),
        ("svd/scheduler/scheduler_config.json", Json(Scheduler)),
        ("svd/feature_extractor/preprocessor_config.json", Json(FeatureExtractor)),
    ];

    static byte[] Json(Action<Utf8JsonWriter> write)
    {
        using var stream = new MemoryStream();
        using (var json = new Utf8JsonWriter(stream, new JsonWriterOptions { Indented = true, NewLine = "\n" }))
        {
            json.WriteStartObject();
            write(json);
            json.WriteEndObject();
        }

        stream.Write(Encoding.UTF8.GetBytes("\n"));
        return stream.ToArray();
    }

    static void ModelIndex(Utf8JsonWriter json)
    {
        json.WriteString("_class_name", "StableVideoDiffusionPipeline");
        Component(json, "feature_extractor", "transformers", "CLIPImageProcessor");
        Component(json, "image_encoder", "transformers", "CLIPVisionModelWithProjection");
        Component(json, "scheduler", "diffusers", "EulerDiscreteScheduler");
        Component(json, "unet", "diffusers", "UNetSpatioTemporalConditionModel");
        Component(json, "vae", "diffusers", "AutoencoderKLTemporalDecoder");
    }

    static void UNet(Utf8JsonWriter json, CheckpointPreset preset)
    {
        var config = preset.UNet;
        json.WriteString("_class_name", "UNetSpatioTemporalConditionModel");
        json.WriteNumber("sample_size", preset.SampleSize);
        json.WriteNumber("in_channels", UNetConfig.InChannels);
        json.WriteNumber("out_channels", UNetConfig.OutChannels);
        List(json, "down_block_types", config.DownAttention.Select(a => a ? UNetConfig.CrossAttentionDown : UNetConfig.PlainDown));
        List(json, "up_block_types", config.UpAttention.Select(a => a ? UNetConfig.CrossAttentionUp : UNetConfig.PlainUp));
        List(json, "block_out_channels", config.BlockOutChannels);
        json.WriteNumber("addition_time_embed_dim", config.AddedTimeWidth);
        json.WriteNumber("projection_class_embeddings_input_dim", UNetConfig.AddedTimeIds * config.AddedTimeWidth);
        List(json, "layers_per_block", config.LayersPerBlock);
        List(json, "cross_attention_dim", config.CrossAttentionWidths);
        List(json, "transformer_layers_per_block", config.TransformerLayers);
        List(json, "num_attention_heads", config.AttentionHeads);
        json.WriteNumber("norm_num_groups", config.NormGroups);
        json.WriteNumber("num_frames", 25);
    }

    static void Vae(Utf8JsonWriter json, VaeConfig config)
    {
        json.WriteString("_class_name", "AutoencoderKLTemporalDecoder");
        json.WriteNumber("in_channels", VaeConfig.PictureChannels);
        json.WriteNumber("out_channels", VaeConfig.PictureChannels);
        List(json, "down_block_types", config.BlockOutChannels.Select(_ => "DownEncoderBlock2D"));
        List(json, "block_out_channels", config.BlockOutChannels);
        json.WriteNumber("layers_per_block", config.LayersPerBlock);
        json.WriteNumber("latent_channels", VaeConfig.LatentChannels);
        json.WriteNumber("scaling_factor", config.ScalingFactor);
        json.WriteNumber("norm_num_groups", config.NormGroups);
        json.WriteBoolean("force_upcast", true);
    }

    static void Clip(Utf8JsonWriter json, ClipVisionConfig config)
    {
        List(json, "architectures", ["CLIPVisionModelWithProjection"]);
        json.WriteString("model_type", "clip_vision_model");
        json.WriteNumber("num_channels", ClipVisionConfig.Channels);
        json.WriteNumber("hidden_size", config.HiddenSize);
        json.WriteNumber("intermediate_size", config.IntermediateSize);
        json.WriteNumber("num_hidden_layers", config.Layers);
        json.WriteNumber("num_attention_heads", config.Heads);
        json.WriteNumber("patch_size", config.PatchSize);
        json.WriteNumber("image_size", config.ImageSize);
        json.WriteString("hidden_act", config.QuickGelu ? "quick_gelu" : "gelu");
        json.WriteNumber("projection_dim", config.ProjectionSize);
        json.WriteNumber("layer_norm_eps", config.LayerNormEpsilon);
    }

    static void Scheduler(Utf8JsonWriter json)
    {
        json.WriteString("_class_name", "EulerDiscreteScheduler");
        json.WriteNumber("num_train_timesteps", 1000);
        json.WriteNumber("beta_start", 0.00085);
        json.WriteNumber("beta_end", 0.012);
        json.WriteString("beta_schedule", "scaled_linear");
        json.WriteString("interpolation_type", "linear");
        json.WriteString("prediction_type", "v_prediction");
        json.WriteNumber("sigma_max", 700.0);
        json.WriteNumber("sigma_min", 0.002);
        json.WriteNumber("steps_offset", 1);
        json.WriteString("timestep_spacing", "leading");
        json.WriteString("timestep_type", "continuous");
        json.WriteNull("trained_betas");
        json.WriteBoolean("use_karras_sigmas", true);
    }

    static void FeatureExtractor(Utf8JsonWriter json)
    {
        json.WriteString("image_processor_type", "CLIPImageProcessor");
        json.WriteStartArray("image_mean");
        foreach (var mean in (double[])[0.48145466, 0.4578275, 0.40821073])
        {
            json.WriteNumberValue(mean);
        }

        json.WriteEndArray();
        json.WriteStartArray("image_std");
        foreach (var deviation in (double[])[0.26862954, 0.26130258, 0.27577711])
        {
            json.WriteNumberValue(deviation);
        }

        json.WriteEndArray();
    }

    static void Component(Utf8JsonWriter json, string name, string library, string type) => List(json, name, [library, type]);

    static void List(Utf8JsonWriter json, string name, IEnumerable<string> values)
    {
        json.WriteStartArray(name);
        foreach (var value in values)
        {
            json.WriteStringValue(value);
        }

        json.WriteEndArray();
    }

    static void List(Utf8JsonWriter json, string name, IEnumerable<int> values)
    {
        json.WriteStartArray(name);
        foreach (var value in values)
        {
            json.WriteNumberValue(value);
        }

        json.WriteEndArray();
    }
}
