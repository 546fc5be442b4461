using FramePainter.Tensors;

namespace FramePainter.Weights;

/// <summary>Sizes of a random checkpoint.</summary>
sealed record CheckpointPreset
{
    /// <summary>The U-Net.</summary>
    public required UNetConfig UNet { get; init; }

    /// <summary>The VAE.</summary>
    public required VaeConfig Vae { get; init; }

    /// <summary>The CLIP vision tower.</summary>
    public required ClipVisionConfig Clip { get; init; }

    /// <summary>The control encoder.</summary>
    public required ControlEncoderConfig Control { get; init; }

    /// <summary>The latents' side in the U-Net's config; informative only.</summary>
    public required int SampleSize { get; init; }

    /// <summary>Sizes of the published model, stable-video-diffusion-img2vid-xt-1-1 with FramePainter.</summary>
    public static CheckpointPreset SvdXt { get; } = new()
    {
        UNet = UNetOf([320, 640, 1280, 1280], layers: 2, heads: [5, 10, 20, 20], context: 1024, addedTime: 256),
        Vae = new() { BlockOutChannels = [128, 256, 512, 512], LayersPerBlock = 2, ScalingFactor = 0.18215 },
        Clip = ClipOf(hidden: 1280, inner: 5120, layers: 32, heads: 16, patch: 14, projection: 1024),
        Control = new() { StemWidths = [64, 64, 128], ResidualWidths = [128, 256], SinusoidWidth = 128, TimeEmbeddingWidth = 256, OutputWidth = 320 },
        SampleSize = 96,
    };

    /// <summary>The smallest model with every kind of block, a few megabytes.</summary>
    public static CheckpointPreset Tiny { get; } = new()
    {
        UNet = UNetOf([32, 32, 64, 64], layers: 1, heads: [1, 2, 2, 4], context: 40, addedTime: 16),
        Vae = new() { BlockOutChannels = [32, 32, 32, 64], LayersPerBlock = 2, ScalingFactor = 0.18215 },
        Clip = ClipOf(hidden: 48, inner: 96, layers: 2, heads: 3, patch: 28, projection: 40),
        Control = new() { StemWidths = [16, 16, 32], ResidualWidths = [32, 64], SinusoidWidth = 128, TimeEmbeddingWidth = 64, OutputWidth = 32 },
        SampleSize = 16,
    };

    /// <summary>Names of all presets.</summary>
    public static IReadOnlyList<string> Names { get; } = ["svd-xt", "tiny"];

    /// <summary>Finds a preset.</summary>
    /// <param name="name">Its name.</param>
    /// <exception cref="OptionException">There is none of that name.</exception>
    public static CheckpointPreset Find(string name) => name switch
    {
        "svd-xt" => SvdXt,
        "tiny" => Tiny,
        _ => throw new OptionException("preset", $"There is no preset '{name}'; there are {string.Join(" and ", Names)}."),
    };

    /// <summary>The files of weights: path within the checkpoint, prefix of the names, tensors.</summary>
    public IReadOnlyList<(string Path, string Prefix, IReadOnlyList<ExpectedTensor> Tensors)> WeightFiles() =>
    [
        ("framepainter/unet_diffusion_pytorch_model.safetensors", TensorNames.UNetPrefix, TensorNames.UNet(UNet, AttentionKind.Matching)),
        ("framepainter/encoder_diffusion_pytorch_model.safetensors", TensorNames.ControlPrefix, TensorNames.Control(Control)),
        ("svd/vae/diffusion_pytorch_model.safetensors", TensorNames.VaePrefix, TensorNames.Vae(Vae)),
        ("svd/image_encoder/model.safetensors", TensorNames.ClipPrefix, TensorNames.Clip(Clip)),
    ];

    static UNetConfig UNetOf(int[] widths, int layers, int[] heads, int context, int addedTime) => new()
    {
        BlockOutChannels = widths,
        DownAttention = [true, true, true, false],
        UpAttention = [false, true, true, true],
        LayersPerBlock = [layers, layers, layers, layers],
        TransformerLayers = [1, 1, 1, 1],
        AttentionHeads = heads,
        CrossAttentionWidths = [context, context, context, context],
        AddedTimeWidth = addedTime,
    };

    static ClipVisionConfig ClipOf(int hidden, int inner, int layers, int heads, int patch, int projection) => new()
    {
        HiddenSize = hidden,
        IntermediateSize = inner,
        ProjectionSize = projection,
        Layers = layers,
        Heads = heads,
        ImageSize = 224,
        PatchSize = patch,
        QuickGelu = false,
        LayerNormEpsilon = 1e-5,
    };
}
