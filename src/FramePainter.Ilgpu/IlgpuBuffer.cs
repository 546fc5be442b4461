using FramePainter.Backends;
using ILGPU;

namespace FramePainter.Ilgpu;

/// <summary>Memory of an accelerator. Copies run on the backend's copy stream and are finished when a method returns; so are runs.</summary>
internal sealed class IlgpuBuffer(IlgpuBackend owner, long bytes) : IDeviceBuffer
{
    readonly DeviceBlock<float> _memory = owner.Allocate<float>((bytes + sizeof(float) - 1) / sizeof(float), held => new DeviceMemory(0, 0, held));

    /// <inheritdoc/>
    public long Bytes => bytes;

    internal IlgpuBackend Owner => owner;

    /// <inheritdoc/>
    public void Write(ReadOnlySpan<float> source, long byteOffset = 0)
    {
        if (source.Length > 0)
        {
            owner.CopyIn(Part(byteOffset, source.Length), source);
        }
    }

    /// <inheritdoc/>
    public void Read(Span<float> destination, long byteOffset = 0)
    {
        if (destination.Length > 0)
        {
            owner.CopyOut(Part(byteOffset, destination.Length), destination);
        }
    }

    internal ArrayView<float> Part(long byteOffset, long count)
    {
        if (byteOffset < 0 || byteOffset % sizeof(float) != 0 || byteOffset + (count * sizeof(float)) > bytes)
        {
            throw new ArgumentOutOfRangeException(nameof(byteOffset), $"{count} floats from byte {byteOffset} on leave a buffer of {bytes} bytes.");
        }

        return _memory.Part(byteOffset / sizeof(float), count);
    }

    /// <inheritdoc/>
    public void Dispose() => _memory.Dispose();
}
