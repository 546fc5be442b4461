namespace FramePainter;

/// <summary>How the weights of matrix products lie in memory on the processor. Biases and norms' factors are float32 always. Narrow weights are widened panel by panel while they are used.</summary>
public enum WeightFormat
{
    /// <summary>In the type of the checkpoint (float32, half or bfloat16), unless <see cref="Precision.BFloat16"/> rounds them anyway. No weight is rounded by this.</summary>
    AsStored,

    /// <summary>As halves: 2 bytes, rounded to nearest.</summary>
    Half,

    /// <summary>As bfloat16: 2 bytes, rounded to nearest.</summary>
    BFloat16,

    /// <summary>As whole numbers from −127 to 127 with one float32 factor per output channel: 1 byte. Each weight moves by at most 1/254 of its output's largest.</summary>
    Int8,
}
