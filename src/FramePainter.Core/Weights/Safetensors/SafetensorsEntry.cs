using FramePainter.Tensors;

namespace FramePainter.Weights.Safetensors;

/// <summary>One tensor as a safetensors header describes it.</summary>
/// <param name="Name">The tensor's name.</param>
/// <param name="Type">Its element type.</param>
/// <param name="Shape">Its extents, outermost first; rank 0 is a scalar.</param>
/// <param name="Offset">Where its first byte lies, counted from the beginning of the file.</param>
/// <param name="Bytes">Its size in bytes; 0 when an extent is 0.</param>
public sealed record SafetensorsEntry(string Name, DType Type, Shape Shape, long Offset, long Bytes);
