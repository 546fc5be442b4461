using Microsoft.Extensions.Logging;

namespace FramePainter;

/// <summary>What a painter is opened with.</summary>
public sealed record PainterOptions
{
    /// <summary>
    /// The folder of stable-video-diffusion-img2vid-xt-1-1 (with <c>vae/</c>, <c>image_encoder/</c>, ...), or one folder
    /// that holds <c>svd/</c> and <c>framepainter/</c>.
    /// </summary>
    public required string Model { get; init; }

    /// <summary>The folder of FramePainter's own files; null when <see cref="Model"/> holds both.</summary>
    public string? Checkpoint { get; init; }

    /// <summary>Takes the <c>.fp16.safetensors</c> variants where both are there. Default: the plain files first.</summary>
    public bool PreferFp16 { get; init; }

    /// <summary>How the edited frame sees the source (paper, table 3). The released weights are for <see cref="AttentionKind.Matching"/>.</summary>
    public AttentionKind Attention { get; init; } = AttentionKind.Matching;

    /// <summary>Computes the SHA-256 of every file of weights for <see cref="EditMetadata.ModelHashes"/>: some seconds for a full model. Default: not.</summary>
    public bool HashModel { get; init; }

    /// <summary>Where edits run. Default: <see cref="Device.Auto"/>, the best device that the packages beside this one find, else the processor.</summary>
    public Device Device { get; init; } = Device.Auto;

    /// <summary>Told which device edits run on, and why each device before it was passed over. Default: nobody.</summary>
    public ILogger? Logger { get; init; }

    /// <summary>
    /// Whether 3×3 convolutions on the processor may run by Winograd's algorithm where that is faster: a quarter of the multiplications,
    /// with about twice the rounding error (docs/kernels.md). Default: yes, since all results stay within the same tolerances.
    /// </summary>
    public bool Winograd { get; init; } = true;

    /// <summary>Threads on the processor, 1 to 1024; null for one per core. Results do not depend on it.</summary>
    public int? Threads { get; init; }

    /// <summary>In which numbers matrix products are computed; on the processor only.</summary>
    public Precision Precision { get; init; } = Precision.Float32;

    /// <summary>How weights of matrix products lie in memory; on the processor only. Not <see cref="WeightFormat.Half"/> together with <see cref="Precision.BFloat16"/>.</summary>
    public WeightFormat Weights { get; init; } = WeightFormat.AsStored;
}
