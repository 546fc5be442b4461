using FramePainter.Backends;
using ILGPU;
using ILGPU.Runtime;

namespace FramePainter.Ilgpu;

/// <summary>Zeroed memory of an accelerator, on the backend's account until it is given back; or, of a backend that counts, the account alone.</summary>
/// <typeparam name="T">Its elements.</typeparam>
internal sealed class DeviceBlock<T> : IDisposable
    where T : unmanaged
{
    readonly MemoryBuffer1D<T, Stride1D.Dense>? _memory;
    readonly MemoryTally _tally;
    readonly DeviceMemory _use;
    bool _given;

    /// <summary>Puts memory on the account.</summary>
    /// <param name="memory">The memory; null where it is only counted.</param>
    /// <param name="tally">The account.</param>
    /// <param name="use">What its bytes are for.</param>
    public DeviceBlock(MemoryBuffer1D<T, Stride1D.Dense>? memory, MemoryTally tally, DeviceMemory use)
    {
        (_memory, _tally, _use) = (memory, tally, use);
        tally.Add(use);
    }

    /// <summary>Its size.</summary>
    public long Bytes => _use.InUse;

    /// <summary>All of it; nothing where it is only counted.</summary>
    public ArrayView<T> View => _memory is null ? default : _memory.View.AsContiguous();

    /// <summary>A part of it; nothing where it is only counted.</summary>
    public ArrayView<T> Part(long first, long count) => _memory is null ? default : View.SubView(first, count);

    /// <inheritdoc/>
    public void Dispose()
    {
        if (!_given)
        {
            _given = true;
            IlgpuFailure.Release(_memory);
            _tally.Add(default(DeviceMemory) - _use);
        }
    }
}
