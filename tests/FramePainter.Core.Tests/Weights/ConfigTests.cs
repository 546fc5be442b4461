using System.Text.Json;
using System.Text.Json.Nodes;
using FramePainter.Weights;

namespace FramePainter.Core.Tests.Weights;

public sealed class ConfigTests : IDisposable
{
    readonly TestFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void The_published_values_are_read()
    {
        var svd = Path.Combine(TestData.Manifest, "svd");
        Assert.Equivalent(CheckpointPreset.SvdXt.UNet, UNetConfig.Load(Path.Combine(svd, "unet/config.json")), strict: true);
        Assert.Equivalent(CheckpointPreset.SvdXt.Vae, VaeConfig.Load(Path.Combine(svd, "vae/config.json")), strict: true);
        Assert.Equivalent(CheckpointPreset.SvdXt.Clip, ClipVisionConfig.Load(Path.Combine(svd, "image_encoder/config.json")), strict: true);
        Assert.Equal(new SchedulerConfig { SigmaMin = 0.002, SigmaMax = 700 }, SchedulerConfig.Load(Path.Combine(svd, "scheduler/scheduler_config.json")));
        var features = FeatureExtractorConfig.Load(Path.Combine(svd, "feature_extractor/preprocessor_config.json"));
        Assert.Equal([0.48145466, 0.4578275, 0.40821073], features.Mean);
        Assert.Equal([0.26862954, 0.26130258, 0.27577711], features.Deviation);
    }

    [Fact]
    public void The_small_model_is_the_tiny_preset()
    {
        var svd = Path.Combine(TestData.TinyModel, "svd");
        Assert.Equivalent(CheckpointPreset.Tiny.UNet, UNetConfig.Load(Path.Combine(svd, "unet/config.json")), strict: true);
        Assert.Equivalent(CheckpointPreset.Tiny.Vae, VaeConfig.Load(Path.Combine(svd, "vae/config.json")), strict: true);
        Assert.Equivalent(CheckpointPreset.Tiny.Clip, ClipVisionConfig.Load(Path.Combine(svd, "image_encoder/config.json")), strict: true);
    }

    [Fact]
    public void Every_value_of_the_unet_is_honoured()
    {
        var config = UNetConfig.Parse(Json("""
            {"block_out_channels":[8,16],"down_block_types":["DownBlockSpatioTemporal","CrossAttnDownBlockSpatioTemporal"],
             "up_block_types":["CrossAttnUpBlockSpatioTemporal","UpBlockSpatioTemporal"],"layers_per_block":[1,3],"num_attention_heads":2,
             "cross_attention_dim":[7,9],"transformer_layers_per_block":[2,1],"addition_time_embed_dim":6,
             "projection_class_embeddings_input_dim":18,"norm_num_groups":4,"num_frames":1,"sample_size":[1,2],"another_key":{}}
            """), "f");
        Assert.Equal([false, true], config.DownAttention);
        Assert.Equal([true, false], config.UpAttention);
        Assert.Equal([1, 3], config.LayersPerBlock);
        Assert.Equal([2, 2], config.AttentionHeads);
        Assert.Equal([7, 9], config.CrossAttentionWidths);
        Assert.Equal([2, 1], config.TransformerLayers);
        Assert.Equal((6, 4, 2, 32), (config.AddedTimeWidth, config.NormGroups, config.Levels, config.TimeEmbeddingWidth));
    }

    [Fact]
    public void Missing_keys_take_the_library_defaults()
    {
        Assert.Equivalent(CheckpointPreset.SvdXt.UNet, UNetConfig.Parse(Json("{}"), "f"), strict: true);
        Assert.Equal(0.18215, VaeConfig.Parse(Json("""{"block_out_channels":[32],"down_block_types":["DownEncoderBlock2D"]}"""), "f").ScalingFactor);
        var clip = ClipVisionConfig.Parse(Json("{}"), "f");
        Assert.Equal((768, 512, 50, true), (clip.HiddenSize, clip.ProjectionSize, clip.Tokens, clip.QuickGelu));
        Assert.Equal(0.48145466, FeatureExtractorConfig.Parse(Json("{}"), "f").Mean[0]);
    }

    [Theory]
    [InlineData("unet/config.json", "_class_name", "\"UNet2DConditionModel\"", "another model")]
    [InlineData("unet/config.json", "in_channels", "9", "supported: 8")]
    [InlineData("unet/config.json", "in_channels", "\"8\"", "supported: a number")]
    [InlineData("unet/config.json", "out_channels", "8", "supported: 4")]
    [InlineData("unet/config.json", "down_block_types", "[\"DownBlock2D\"]", "CrossAttnDownBlockSpatioTemporal")]
    [InlineData("unet/config.json", "up_block_types", "[\"UpBlockSpatioTemporal\"]", "a list of 4")]
    [InlineData("unet/config.json", "block_out_channels", "[320,640,1280,1281]", "norm_num_groups (32)")]
    [InlineData("unet/config.json", "block_out_channels", "[]", "list of integers")]
    [InlineData("unet/config.json", "block_out_channels", "[0,1,2,3]", "list of integers")]
    [InlineData("unet/config.json", "layers_per_block", "[2,2]", "a list of 4")]
    [InlineData("unet/config.json", "block_out_channels", "[32,32,32,32,32,32,32,32,32]", "8 of them at most")]
    [InlineData("unet/config.json", "layers_per_block", "0", "from 1 to 16")]
    [InlineData("unet/config.json", "layers_per_block", "2147483647", "from 1 to 16")]
    [InlineData("unet/config.json", "transformer_layers_per_block", "[1,1,1,17]", "from 1 to 16")]
    [InlineData("vae/config.json", "layers_per_block", "2147483647", "from 1 to 16")]
    [InlineData("image_encoder/config.json", "num_hidden_layers", "2147483647", "from 1 to 1024")]
    [InlineData("image_encoder/config.json", "image_size", "2147483647", "from 1 to 32768")]
    [InlineData("unet/config.json", "num_attention_heads", "7", "divide")]
    [InlineData("unet/config.json", "num_attention_heads", "2.5", "an integer")]
    [InlineData("unet/config.json", "norm_num_groups", "0", "from 1 to 32768")]
    [InlineData("unet/config.json", "norm_num_groups", "99999999999", "from 1 to 32768")]
    [InlineData("unet/config.json", "projection_class_embeddings_input_dim", "512", "supported: 768")]
    [InlineData("vae/config.json", "_class_name", "\"AutoencoderKL\"", "another model")]
    [InlineData("vae/config.json", "in_channels", "4", "supported: 3")]
    [InlineData("vae/config.json", "latent_channels", "16", "supported: 4")]
    [InlineData("vae/config.json", "scaling_factor", "0", "above 0")]
    [InlineData("vae/config.json", "scaling_factor", "1e999", "above 0")]
    [InlineData("vae/config.json", "block_out_channels", "null", "is missing")]
    [InlineData("vae/config.json", "down_block_types", "[\"DownEncoderBlock2D\"]", "a list of 4")]
    [InlineData("vae/config.json", "norm_num_groups", "48", "norm_num_groups (48)")]
    [InlineData("image_encoder/config.json", "model_type", "\"clip\"", "another model")]
    [InlineData("image_encoder/config.json", "architectures", "[\"CLIPModel\"]", "another model")]
    [InlineData("image_encoder/config.json", "hidden_act", "\"relu\"", "gelu, quick_gelu")]
    [InlineData("image_encoder/config.json", "num_channels", "1", "supported: 3")]
    [InlineData("image_encoder/config.json", "num_attention_heads", "7", "hidden_size (1280)")]
    [InlineData("image_encoder/config.json", "patch_size", "15", "image_size (224)")]
    [InlineData("image_encoder/config.json", "layer_norm_eps", "-1", "above 0")]
    [InlineData("scheduler/scheduler_config.json", "_class_name", "\"DDIMScheduler\"", "another model")]
    [InlineData("scheduler/scheduler_config.json", "prediction_type", "\"epsilon\"", "supported: v_prediction")]
    [InlineData("scheduler/scheduler_config.json", "prediction_type", "null", "supported: v_prediction")]
    [InlineData("scheduler/scheduler_config.json", "timestep_type", "\"discrete\"", "supported: continuous")]
    [InlineData("scheduler/scheduler_config.json", "timestep_spacing", "\"trailing\"", "supported: leading")]
    [InlineData("scheduler/scheduler_config.json", "beta_schedule", "\"linear\"", "supported: scaled_linear")]
    [InlineData("scheduler/scheduler_config.json", "beta_start", "0.001", "supported: 0.00085")]
    [InlineData("scheduler/scheduler_config.json", "beta_end", "0.02", "supported: 0.012")]
    [InlineData("scheduler/scheduler_config.json", "trained_betas", "[0.1]", "supported: null")]
    [InlineData("scheduler/scheduler_config.json", "num_train_timesteps", "500", "supported: 1000")]
    [InlineData("scheduler/scheduler_config.json", "steps_offset", "0", "supported: 1")]
    [InlineData("scheduler/scheduler_config.json", "use_karras_sigmas", "false", "supported: true")]
    [InlineData("scheduler/scheduler_config.json", "use_exponential_sigmas", "true", "supported: false")]
    [InlineData("scheduler/scheduler_config.json", "rescale_betas_zero_snr", "true", "supported: false")]
    [InlineData("scheduler/scheduler_config.json", "sigma_min", "null", "is missing")]
    [InlineData("scheduler/scheduler_config.json", "sigma_max", "0.001", "above sigma_min (0.002)")]
    [InlineData("feature_extractor/preprocessor_config.json", "image_mean", "[0.5]", "a list of 3 numbers")]
    [InlineData("feature_extractor/preprocessor_config.json", "image_std", "[1,1,0]", "above 0")]
    [InlineData("feature_extractor/preprocessor_config.json", "image_processor_type", "\"ViTImageProcessor\"", "another model")]
    public void An_unsupported_value_is_refused_by_name(string config, string key, string value, string message)
    {
        var json = JsonNode.Parse(File.ReadAllText(Path.Combine(TestData.Manifest, "svd", config)))!.AsObject();
        json[key] = null;
        var raw = json.ToJsonString().Replace($"\"{key}\":null", $"\"{key}\":{value}", StringComparison.Ordinal);
        var path = _folder.Write("config.json", raw);
        var error = Assert.Throws<CheckpointException>(() => Load(config, path));
        Assert.Contains(key, error.Message, StringComparison.Ordinal);
        Assert.Contains(message, error.Message, StringComparison.Ordinal);
        Assert.Contains(path, error.Message, StringComparison.Ordinal);
        Assert.Equal(path, error.File);
    }

    [Theory]
    [InlineData("", "not valid JSON")]
    [InlineData("[]", "must be a JSON object")]
    [InlineData("""{"in_channels":8,"in_channels":8}""", "not valid JSON")]
    [InlineData("""{"in_channels":8""", "not valid JSON")]
    public void A_broken_config_is_named(string text, string message)
    {
        var path = _folder.Write("config.json", text);
        var error = Assert.Throws<CheckpointException>(() => UNetConfig.Load(path));
        Assert.Contains(message, error.Message, StringComparison.Ordinal);
        Assert.Equal(path, error.File);
    }

    [Fact]
    public void A_missing_config_and_one_that_is_no_text_are_named()
    {
        Assert.Contains("missing", Assert.Throws<CheckpointException>(() => UNetConfig.Load(_folder["config.json"])).Message, StringComparison.Ordinal);
        Assert.Contains("UTF-8", Assert.Throws<CheckpointException>(() => UNetConfig.Load(_folder.Write("c", [(byte)'{', 0xFF]))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_byte_order_mark_is_no_hindrance() =>
        Assert.Equal(4, VaeConfig.Load(_folder.Write("c", "\uFEFF" + File.ReadAllText(Path.Combine(TestData.Manifest, "svd/vae/config.json")))).Levels);

    static object Load(string config, string path) => config.Split('/')[0] switch
    {
        "unet" => UNetConfig.Load(path),
        "vae" => VaeConfig.Load(path),
        "image_encoder" => ClipVisionConfig.Load(path),
        "scheduler" => SchedulerConfig.Load(path),
        _ => FeatureExtractorConfig.Load(path),
    };

    static JsonElement Json(string text)
    {
        using var document = JsonDocument.Parse(text);
        return document.RootElement.Clone();
    }
}
