using System.Globalization;
using System.Numerics.Tensors;
using FramePainter.Evaluation.Networks;
using FramePainter.Pipeline;

namespace FramePainter.Evaluation;

/// <summary>
/// The vision tower of CLIP ViT-B/32 (Radford et al., 2021, "Learning transferable visual models from natural language supervision"):
/// a picture becomes the row of 512 features that CLIP-FID compares. Safe to use from several threads at once.
/// </summary>
public sealed class ClipVisionTower
{
    /// <summary>Numbers of a feature row.</summary>
    public const int FeatureCount = 512;

    const int Side = 224;
    const int Patch = 32;
    const int Width = 768;
    const int Layers = 12;
    const int Tokens = (Side / Patch * (Side / Patch)) + 1;

    readonly Convolution _patches;
    readonly float[] _classToken;
    readonly float[] _positions;
    readonly LayerNorm _before;
    readonly ClipLayer[] _layers;
    readonly LayerNorm _after;
    readonly PackedMatrix _projection;

    ClipVisionTower(TensorFiles weights)
    {
        const string Root = "vision_model.";
        _patches = new Convolution(weights.Read(Root + "embeddings.patch_embedding.weight", Width, 3, Patch, Patch), [], Width, 3, Patch, Patch, 0);
        _classToken = weights.Read(Root + "embeddings.class_embedding", Width);
        _positions = weights.Read(Root + "embeddings.position_embedding.weight", Tokens, Width);

        // The missing letter is in the published tensor name.
        _before = new LayerNorm(weights, Root + "pre_layrnorm", Width);
        _layers = [.. Enumerable.Range(0, Layers).Select(i => new ClipLayer(weights, string.Create(CultureInfo.InvariantCulture, $"{Root}encoder.layers.{i}."), Width))];
        _after = new LayerNorm(weights, Root + "post_layernorm", Width);
        _projection = new PackedMatrix(weights.Read("visual_projection.weight", FeatureCount, Width), [], FeatureCount, Width);
    }

    /// <summary>
    /// Reads weights in the names of Hugging Face's <c>openai/clip-vit-base-patch32</c>: <c>vision_model.…</c> and
    /// <c>visual_projection.weight</c>. Other tensors (the text tower) are passed over.
    /// </summary>
    /// <param name="files">One safetensors file with all tensors, or several that share them out.</param>
    /// <exception cref="CheckpointException">A file is missing or malformed, or a tensor is missing, of another shape, or there twice.</exception>
    /// <exception cref="ArgumentException">No file is named.</exception>
    public static ClipVisionTower Load(params ReadOnlySpan<string> files)
    {
        using var weights = new TensorFiles(files);
        return new ClipVisionTower(weights);
    }

    /// <summary>The features of a picture, prepared as clean-fid does: the shorter side brought to 224 pixels by Pillow's bicubic filter, the middle cut out.</summary>
    /// <param name="image">A picture of any size; gray counts as RGB with equal channels, alpha is dropped.</param>
    /// <param name="cancel">Looked at many times in every layer.</param>
    /// <returns>512 features, not normalised.</returns>
    /// <exception cref="ImageException">The picture is so long that it cannot be resized.</exception>
    /// <exception cref="CheckpointException">The weights give features that are not finite.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public float[] Features(PixelImage image, CancellationToken cancel = default)
    {
        ArgumentNullException.ThrowIfNull(image);

        // CLIP's published mean and deviation.
        var pixels = FeatureMap.Of(Prepare(image), [0.48145466, 0.4578275, 0.40821073], [0.26862954, 0.26130258, 0.27577711]);
        var patches = _patches.Run(pixels, rectify: false, cancel);
        float[] x = [.. _classToken, .. patches.Values];
        TensorPrimitives.Add(x, _positions, x);
        x = _before.Run(x);
        foreach (var layer in _layers)
        {
            layer.Run(x, cancel);
        }

        var features = _projection.Multiply(_after.Run(x.AsSpan(0, Width)), cancel);
        return TensorPrimitives.IsFiniteAll<float>(features)
            ? features
            : throw new CheckpointException("The weights of CLIP give features that are not finite; they hold NaN, or are too large.");
    }

    /// <summary>The square that the tower sees.</summary>
    internal static PixelImage Prepare(PixelImage image)
    {
        var rgb = image.ToRgb();
        var shorter = Math.Min(rgb.Width, rgb.Height);
        var (width, height) = ((int)((long)Side * rgb.Width / shorter), (int)((long)Side * rgb.Height / shorter));
        var resized = PillowResize.Resize(rgb, width, height, ResizeFilter.Bicubic);

        // Halves go to the even neighbour, as Python rounds them.
        var (left, top) = ((int)Math.Round((width - Side) / 2.0), (int)Math.Round((height - Side) / 2.0));
        return PixelImage.FromPixels(resized.Pixels[(((top * width) + left) * 3)..], Side, Side, PixelFormat.Rgb24, stride: width * 3);
    }
}
