using FramePainter.Backends;
using FramePainter.Backends.Cpu;
using FramePainter.Weights;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

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

    /// <summary>
    /// Computes the SHA-256 of every file of weights for <see cref="EditMetadata.ModelHashes"/>: beside the first edit, some seconds for a full model, and once
    /// a file. Hashes are kept in the user's cache folder, with length and time of the file, so that later painters know them. Default: not.
    /// </summary>
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

    /// <summary>Threads on the processor, 1 to 1024; null for one per core. Where edits run on another device, pictures and noise are still prepared by them. Results do not depend on it.</summary>
    public int? Threads { get; init; }

    /// <summary><see cref="Threads"/>, chosen where they are not.</summary>
    internal int ThreadCount => Threads ?? Environment.ProcessorCount;

    /// <summary>In which numbers matrix products are computed: on the processor, and on NVIDIA GPUs by FramePainter.Cuda. Other devices take the default alone.</summary>
    public Precision Precision { get; init; } = Precision.Float32;

    /// <summary>How weights of matrix products lie in memory; on the processor only. Not <see cref="WeightFormat.Half"/> together with <see cref="Precision.BFloat16"/>.</summary>
    public WeightFormat Weights { get; init; } = WeightFormat.AsStored;

    /// <summary>
    /// The most bytes that may be held while edits are made, at least 1 MiB: by this process where they run on the processor, of the device's memory where they
    /// run on another device. An edit that needs more is refused before it starts, with the largest size that fits. Null: no limit.
    /// </summary>
    public long? MemoryBudget { get; init; }

    /// <summary>Limits of pictures, signals and sessions.</summary>
    public EditLimits Limits { get; init; } = EditLimits.Default;

    /// <summary>Where the model lies.</summary>
    internal CheckpointLocation Location => new(Model, Checkpoint, Attention, PreferFp16);

    /// <summary>Checks every value against its range.</summary>
    /// <exception cref="OptionException">A value is out of range.</exception>
    internal void Validate()
    {
        if (Threads is < 1 or > 1024)
        {
            throw new OptionException(nameof(Threads), $"Threads is {Threads}; it must be from 1 to 1024, or null for one per core.");
        }

        if (!Enum.IsDefined(Attention))
        {
            throw new OptionException(nameof(Attention), $"Attention is {Attention}; it must be one of the kinds that are named.");
        }

        if (MemoryBudget < 1 << 20)
        {
            throw new OptionException(nameof(MemoryBudget), $"MemoryBudget is {MemoryBudget} bytes; it must be at least 1 MiB, or null for no limit.");
        }

        Limits.Validate();
    }

    /// <summary>Opens the device.</summary>
    /// <exception cref="DeviceException">It cannot be used.</exception>
    internal IBackend CreateBackend() => Device.CreateBackend(new BackendRequest(
        ThreadCount, new CpuNumbers(Precision, Weights), Winograd ? WinogradUse.WhereFaster : WinogradUse.Never, Logger ?? NullLogger.Instance));
}
