using FramePainter.Tensors;

namespace FramePainter.Weights.Safetensors;

/// <summary>One tensor's bytes in memory until it is disposed.</summary>
sealed unsafe class LoadedTensor(SafetensorsEntry entry, NativeBuffer memory) : IWeightHandle
{
    public TensorView View => new(entry.Name, entry.Type, entry.Shape, (nint)memory.Pointer);

    public void Dispose() => memory.Dispose();
}
