namespace FramePainter.Cuda;

/// <summary>How a backend uses an NVIDIA GPU. What products read is the painter's <see cref="Precision"/>: float16 by default, or bfloat16, sums always in float32 (docs/cuda.md, "Precision").</summary>
public sealed record CudaOptions
{
    /// <summary>
    /// Bytes of device memory that a painter may take, at least 1 MiB; null for all there is. Under a budget, packed weights are kept in pinned
    /// memory of the host: those beyond <see cref="WeightMemory"/> are copied to the device whenever they are used, ahead of their use. Results do not depend on it.
    /// </summary>
    public long? MemoryBudget { get; init; }

    /// <summary>
    /// Bytes of the budget that matrices of weights may fill, 0 to <see cref="MemoryBudget"/>; the rest is for pictures in work, small weights and the
    /// two buffers of copies under way. Null for half of the budget. Says nothing without a budget.
    /// </summary>
    public long? WeightMemory { get; init; }

    /// <summary>The figures, checked.</summary>
    /// <exception cref="OptionException">One is out of range.</exception>
    internal (long Budget, long Weights)? Validate()
    {
        if (MemoryBudget is not { } budget)
        {
            return null;
        }

        if (budget < 1 << 20)
        {
            throw new OptionException(nameof(MemoryBudget), $"MemoryBudget is {budget} bytes; it must be 1 MiB or more, or null for all the device has.");
        }

        var weights = WeightMemory ?? budget / 2;
        return weights >= 0 && weights <= budget
            ? (budget, weights)
            : throw new OptionException(nameof(WeightMemory), $"WeightMemory is {weights} bytes; it must be from 0 to the MemoryBudget of {budget} bytes, or null for half of it.");
    }
}
