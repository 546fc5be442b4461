using System.IO.MemoryMappedFiles;
using FramePainter.Tensors;

namespace FramePainter.Weights.Safetensors;

/// <summary>One tensor mapped into memory until it is disposed.</summary>
sealed unsafe class MappedTensor : IWeightHandle
{
    readonly MemoryMappedViewAccessor? _accessor;
    readonly TensorView _view;
    bool _disposed;

    public MappedTensor(MemoryMappedFile mapping, SafetensorsEntry entry)
    {
        byte* address = null;

        // A view of size 0 would map the file to its end, so an empty tensor maps nothing.
        if (entry.Bytes > 0)
        {
            _accessor = mapping.CreateViewAccessor(entry.Offset, entry.Bytes, MemoryMappedFileAccess.Read);
            _accessor.SafeMemoryMappedViewHandle.AcquirePointer(ref address);
            address += _accessor.PointerOffset;
        }

        _view = new(entry.Name, entry.Type, entry.Shape, (nint)address);
    }

    public TensorView View
    {
        get
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            return _view;
        }
    }

    public void Dispose()
    {
        if (_disposed)
            return;

        _disposed = true;
        if (_accessor is not null)
        {
            _accessor.SafeMemoryMappedViewHandle.ReleasePointer();
            _accessor.Dispose();
        }
    }
}
