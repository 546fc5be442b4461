namespace FramePainter.Weights;

/// <summary>Where a checkpoint lies and how it is to be used.</summary>
/// <param name="Model">
/// The Stable Video Diffusion folder in its diffusers layout (<c>vae/</c>, <c>image_encoder/</c>, <c>unet/config.json</c>, ...), or a
/// folder that holds it as <c>svd/</c> beside FramePainter's own files as <c>framepainter/</c>.
/// </param>
/// <param name="FramePainter">
/// The folder with <c>unet_diffusion_pytorch_model.safetensors</c> and <c>encoder_diffusion_pytorch_model.safetensors</c>; null when
/// <paramref name="Model"/> holds both.
/// </param>
/// <param name="Attention">The attention kind that the U-Net is opened for.</param>
/// <param name="PreferFp16">
/// Where a folder has both a full-precision file and its <c>.fp16</c> variant, take the variant: half the bytes, rounded weights.
/// Without it the full-precision file is taken. Where only one of them is there, it is taken in either case.
/// </param>
public sealed record CheckpointLocation(
    string Model,
    string? FramePainter = null,
    AttentionKind Attention = AttentionKind.Matching,
    bool PreferFp16 = false);
