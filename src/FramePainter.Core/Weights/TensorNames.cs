namespace FramePainter.Weights;

/// <summary>The one table of tensor names: what every network of a checkpoint holds, from its config alone.</summary>
static class TensorNames
{
    /// <summary>Prefix of the U-Net's tensors.</summary>
    public const string UNetPrefix = "unet.";

    /// <summary>Prefix of the control encoder's tensors.</summary>
    public const string ControlPrefix = "control.";

    /// <summary>Prefix of the VAE's tensors.</summary>
    public const string VaePrefix = "vae.";

    /// <summary>Prefix of the CLIP tower's tensors.</summary>
    public const string ClipPrefix = "clip.";

    /// <summary>Name within a transformer block of the attention that matches the edited frame against the source.</summary>
    public const string MatchingAttention = "sparse_attention";

    /// <summary>Tensors that some conversions carry and nothing reads.</summary>
    public static IReadOnlySet<string> Ignored { get; } = new HashSet<string>(StringComparer.Ordinal) { ClipPrefix + "vision_model.embeddings.position_ids" };

    /// <summary>The U-Net's tensors. Matching attention's are there in every case, optional unless the kind needs them.</summary>
    public static IReadOnlyList<ExpectedTensor> UNet(UNetConfig config, AttentionKind attention)
    {
        var t = new TensorTable(UNetPrefix);
        var widths = config.BlockOutChannels;
        var (levels, time) = (config.Levels, config.TimeEmbeddingWidth);
        t.Convolution("conv_in", widths[0], UNetConfig.InChannels, 3);
        t.Embedding("time_embedding", widths[0], time, time);
        t.Embedding("add_embedding", UNetConfig.AddedTimeIds * config.AddedTimeWidth, time, time);

        var input = widths[0];
        for (var level = 0; level < levels; level++)
        {
            var name = $"down_blocks.{level}";
            var width = widths[level];
            for (var layer = 0; layer < config.LayersPerBlock[level]; layer++)
            {
                t.SpatioTemporalResidual($"{name}.resnets.{layer}", layer == 0 ? input : width, width, time);
                if (config.DownAttention[level])
                    Transformer(t, $"{name}.attentions.{layer}", level, config, attention);
            }

            if (level < levels - 1)
                t.Convolution($"{name}.downsamplers.0.conv", width, width, 3);

            input = width;
        }

        t.SpatioTemporalResidual("mid_block.resnets.0", input, input, time);
        Transformer(t, "mid_block.attentions.0", levels - 1, config, attention);
        t.SpatioTemporalResidual("mid_block.resnets.1", input, input, time);

        for (var up = 0; up < levels; up++)
        {
            var level = levels - 1 - up;
            var name = $"up_blocks.{up}";
            var width = widths[level];
            var layers = config.LayersPerBlock[level] + 1;
            for (var layer = 0; layer < layers; layer++)
            {
                // The last skip of a block comes from the level above it, or from conv_in.
                var skip = layer == layers - 1 ? widths[Math.Max(level - 1, 0)] : width;
                t.SpatioTemporalResidual($"{name}.resnets.{layer}", (layer == 0 ? input : width) + skip, width, time);
                if (config.UpAttention[up])
                    Transformer(t, $"{name}.attentions.{layer}", level, config, attention);
            }

            if (up < levels - 1)
                t.Convolution($"{name}.upsamplers.0.conv", width, width, 3);

            input = width;
        }

        t.Norm("conv_norm_out", widths[0]);
        t.Convolution("conv_out", UNetConfig.OutChannels, widths[0], 3);
        return t.Tensors;
    }

    /// <summary>The control encoder's tensors.</summary>
    public static IReadOnlyList<ExpectedTensor> Control(ControlEncoderConfig config)
    {
        var t = new TensorTable(ControlPrefix);
        t.Embedding("time_embedding", config.SinusoidWidth, config.TimeEmbeddingWidth, config.TimeEmbeddingWidth);
        var input = ControlEncoderConfig.PictureChannels;
        for (var i = 0; i < config.StemWidths.Count; i++)
        {
            // Convolution, norm and activation count as three modules.
            t.Convolution($"embedding.{3 * i}", config.StemWidths[i], input, 3);
            t.Norm($"embedding.{(3 * i) + 1}", config.StemWidths[i]);
            input = config.StemWidths[i];
        }

        for (var i = 0; i < config.ResidualWidths.Count; i++)
        {
            var width = config.ResidualWidths[i];
            t.Residual($"down_res.{i}", input, width, config.TimeEmbeddingWidth);
            t.Convolution($"down_sample.{i}.conv", width, width, 3);
            input = width;
        }

        t.Convolution("mid_convs.0.0", input, input, 3);
        t.Norm("mid_convs.0.2", input);
        t.Convolution("mid_convs.0.3", input, input, 3);
        t.Norm("mid_convs.0.4", input);
        t.Convolution("mid_convs.1", config.OutputWidth, input, 1);
        return t.Tensors;
    }

    /// <summary>The VAE's tensors.</summary>
    public static IReadOnlyList<ExpectedTensor> Vae(VaeConfig config)
    {
        var t = new TensorTable(VaePrefix);
        var widths = config.BlockOutChannels;
        var (levels, deepest) = (config.Levels, widths[^1]);

        t.Convolution("encoder.conv_in", widths[0], VaeConfig.PictureChannels, 3);
        var input = widths[0];
        for (var level = 0; level < levels; level++)
        {
            var name = $"encoder.down_blocks.{level}";
            for (var layer = 0; layer < config.LayersPerBlock; layer++)
            {
                t.Residual($"{name}.resnets.{layer}", input, widths[level], 0);
                input = widths[level];
            }

            if (level < levels - 1)
                t.Convolution($"{name}.downsamplers.0.conv", input, input, 3);
        }

        t.Residual("encoder.mid_block.resnets.0", deepest, deepest, 0);
        VaeAttention(t, "encoder.mid_block.attentions.0", deepest);
        t.Residual("encoder.mid_block.resnets.1", deepest, deepest, 0);
        t.Norm("encoder.conv_norm_out", deepest);
        t.Convolution("encoder.conv_out", 2 * VaeConfig.LatentChannels, deepest, 3);
        t.Convolution("quant_conv", 2 * VaeConfig.LatentChannels, 2 * VaeConfig.LatentChannels, 1);

        t.Convolution("decoder.conv_in", deepest, VaeConfig.LatentChannels, 3);
        for (var layer = 0; layer < config.LayersPerBlock; layer++)
        {
            t.SpatioTemporalResidual($"decoder.mid_block.resnets.{layer}", deepest, deepest, 0);
        }

        VaeAttention(t, "decoder.mid_block.attentions.0", deepest);
        input = deepest;
        for (var up = 0; up < levels; up++)
        {
            var name = $"decoder.up_blocks.{up}";
            for (var layer = 0; layer <= config.LayersPerBlock; layer++)
            {
                t.SpatioTemporalResidual($"{name}.resnets.{layer}", input, widths[levels - 1 - up], 0);
                input = widths[levels - 1 - up];
            }

            if (up < levels - 1)
                t.Convolution($"{name}.upsamplers.0.conv", input, input, 3);
        }

        t.Norm("decoder.conv_norm_out", input);
        t.Convolution("decoder.conv_out", VaeConfig.PictureChannels, input, 3);
        t.TemporalConvolution("decoder.time_conv_out", VaeConfig.PictureChannels, VaeConfig.PictureChannels);
        return t.Tensors;
    }

    /// <summary>The CLIP vision tower's tensors.</summary>
    public static IReadOnlyList<ExpectedTensor> Clip(ClipVisionConfig config)
    {
        const string tower = "vision_model.";
        var t = new TensorTable(ClipPrefix);
        var width = config.HiddenSize;
        t.Add(tower + "embeddings.class_embedding", TensorRole.Embedding, false, width);
        t.Convolution(tower + "embeddings.patch_embedding", width, ClipVisionConfig.Channels, config.PatchSize, bias: false);
        t.Add(tower + "embeddings.position_embedding.weight", TensorRole.Embedding, false, config.Tokens, width);

        // Spelt like this in every published file.
        t.Norm(tower + "pre_layrnorm", width);
        for (var layer = 0; layer < config.Layers; layer++)
        {
            var name = $"{tower}encoder.layers.{layer}";
            t.Norm(name + ".layer_norm1", width);
            t.Linear(name + ".self_attn.q_proj", width, width);
            t.Linear(name + ".self_attn.k_proj", width, width);
            t.Linear(name + ".self_attn.v_proj", width, width);
            t.Linear(name + ".self_attn.out_proj", width, width);
            t.Norm(name + ".layer_norm2", width);
            t.Linear(name + ".mlp.fc1", config.IntermediateSize, width);
            t.Linear(name + ".mlp.fc2", width, config.IntermediateSize);
        }

        t.Norm(tower + "post_layernorm", width);
        t.Linear("visual_projection", config.ProjectionSize, width, bias: false);
        return t.Tensors;
    }

    static void Transformer(TensorTable t, string name, int level, UNetConfig config, AttentionKind attention)
    {
        var (width, context) = (config.BlockOutChannels[level], config.CrossAttentionWidths[level]);
        t.Norm(name + ".norm", width);
        t.Linear(name + ".proj_in", width, width);
        for (var i = 0; i < config.TransformerLayers[level]; i++)
        {
            var spatial = $"{name}.transformer_blocks.{i}";
            t.Norm(spatial + ".norm1", width);
            t.Attention(spatial + ".attn1", width, width);
            t.Norm(spatial + ".norm2", width);
            t.Attention(spatial + ".attn2", width, context);
            t.Norm(spatial + ".norm3", width);
            t.FeedForward(spatial + ".ff", width);
            t.Attention($"{spatial}.{MatchingAttention}", width, width, bias: false, optional: attention != AttentionKind.Matching);

            var temporal = $"{name}.temporal_transformer_blocks.{i}";
            t.Norm(temporal + ".norm_in", width);
            t.FeedForward(temporal + ".ff_in", width);
            t.Norm(temporal + ".norm1", width);
            t.Attention(temporal + ".attn1", width, width);
            t.Norm(temporal + ".norm2", width);
            t.Attention(temporal + ".attn2", width, context);
            t.Norm(temporal + ".norm3", width);
            t.FeedForward(temporal + ".ff", width);
        }

        t.Embedding(name + ".time_pos_embed", width, 4 * width, width);
        t.Blend(name);
        t.Linear(name + ".proj_out", width, width);
    }

    static void VaeAttention(TensorTable t, string name, int width)
    {
        t.Norm(name + ".group_norm", width);
        t.Attention(name, width, width, bias: true);
    }
}
