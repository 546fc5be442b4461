namespace FramePainter.Backends;

/// <summary>
/// A backend that takes no memory, reads no weights and runs nothing, but counts what the backend that it stands for would hold: the same code finds
/// the places of everything, over memory that is not there. Its executables are compiled and given back, not run; buffers forget what is written, and
/// read as zeros.
/// </summary>
public interface ICountingBackend : IBackend
{
    /// <summary>Whether the device's memory is the process's own.</summary>
    bool IsHost { get; }

    /// <summary>The moment at which most of the device's memory was held.</summary>
    DeviceMemory Peak { get; }

    /// <summary>The moment at which most of it was in use.</summary>
    DeviceMemory MostInUse { get; }

    /// <summary>Most bytes of the host's memory that served the device: pinned memory, and what one matrix is packed from and in. 0 where the device's memory is the process's own.</summary>
    long HostBytes { get; }
}
