namespace FramePainter.Ilgpu;

/// <summary>How matrices lie in the device's memory. Sums are of float32 in either case.</summary>
public enum WeightStorage
{
    /// <summary>In the type of the checkpoint: float32, half or bfloat16. No weight is rounded.</summary>
    AsStored,

    /// <summary>As halves, rounded to nearest where the checkpoint has another type.</summary>
    Half,
}

/// <summary>How values inside a plan lie in the device's memory. Products, sums, softmax and norms are computed in float32 in either case.</summary>
public enum ActivationStorage
{
    /// <summary>As float32.</summary>
    Float32,

    /// <summary>
    /// Pictures and tokens as halves, each rounded once as it is stored: half the memory, and half the traffic. Tables, latents and what is bound from outside stay float32.
    /// </summary>
    Half,
}

/// <summary>How an <see cref="IlgpuBackend"/> works.</summary>
public sealed record IlgpuOptions
{
    /// <summary>How matrices lie in memory. Biases and norms' factors are always float32.</summary>
    public WeightStorage Weights { get; init; } = WeightStorage.AsStored;

    /// <summary>How values inside a plan lie in memory; float32 unless it says otherwise.</summary>
    public ActivationStorage Activations { get; init; } = ActivationStorage.Float32;
}
