using ILGPU;

namespace FramePainter.Ilgpu.Kernels;

/// <summary>How a weight is read from the type it is stored in.</summary>
internal interface IWeightReader
{
    /// <summary>A weight as a float.</summary>
    float At(int index);
}

/// <summary>Weights stored as float32.</summary>
internal struct FloatWeights(ArrayView<float> memory) : IWeightReader
{
    /// <summary>The weights.</summary>
    public ArrayView<float> Memory = memory;

    /// <inheritdoc/>
    public readonly float At(int index) => Memory[index];
}

/// <summary>Weights stored as bits of IEEE halves.</summary>
internal struct HalfWeights(ArrayView<ushort> memory) : IWeightReader
{
    /// <summary>The weights.</summary>
    public ArrayView<ushort> Memory = memory;

    /// <inheritdoc/>
    public readonly float At(int index) => Functions.FromHalf(Memory[index]);
}

/// <summary>Weights stored as bits of bfloat16.</summary>
internal struct BrainWeights(ArrayView<ushort> memory) : IWeightReader
{
    /// <summary>The weights.</summary>
    public ArrayView<ushort> Memory = memory;

    /// <inheritdoc/>
    public readonly float At(int index) => Functions.FromBrain(Memory[index]);
}
