using System.Buffers.Binary;
using FramePainter.Tensors;
using Microsoft.Win32.SafeHandles;

namespace FramePainter.Weights.Safetensors;

/// <summary>
/// An open safetensors file. Each tensor is read when it is asked for and given back when its handle is disposed, so that memory
/// does not grow with what was read before; files beyond 2 GB are fine. Nothing is mapped: a page of a mapping that a shortened
/// file or a lost network path no longer has would end the process, where a read says what is wrong. The header is held to the
/// whole format when the file is opened. Tensors may be opened from several threads at once.
/// </summary>
public sealed class SafetensorsFile : IDisposable
{
    readonly SafeFileHandle _handle;
    readonly DateTime _written;
    readonly SafetensorsContents _contents;

    SafetensorsFile(string path, long bytes, SafeFileHandle handle, DateTime written, SafetensorsContents contents)
    {
        Path = path;
        Bytes = bytes;
        _handle = handle;
        _written = written;
        _contents = contents;
    }

    /// <summary>The file's path as given.</summary>
    public string Path { get; }

    /// <summary>Size of the file in bytes.</summary>
    public long Bytes { get; }

    /// <summary>The tensors by name; enumerated in the order in which their bytes lie in the file.</summary>
    public IReadOnlyDictionary<string, SafetensorsEntry> Tensors => _contents.Tensors;

    /// <summary>The header's <c>__metadata__</c>; empty when it has none.</summary>
    public IReadOnlyDictionary<string, string> Metadata => _contents.Metadata;

    /// <summary>Opens a file and checks its header.</summary>
    /// <param name="path">The file.</param>
    /// <returns>The open file; dispose it after the last handle taken from it.</returns>
    /// <exception cref="CheckpointException">The file is missing, cannot be read, is no safetensors file or breaks the format.</exception>
    public static SafetensorsFile Open(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        SafeFileHandle? handle = null;
        try
        {
            handle = DiskReads.Open(path);
            var bytes = DiskReads.Length(handle, path);
            var written = DiskReads.Written(handle, path);
            return new(path, bytes, handle, written, ReadHeader(handle, bytes, path));
        }
        catch (Exception e)
        {
            handle?.Dispose();
            throw e switch
            {
                FileNotFoundException or DirectoryNotFoundException => new CheckpointException($"There is no file '{path}'.", path, inner: e),
                UnauthorizedAccessException when Directory.Exists(path) => new CheckpointException($"'{path}' is a folder; a safetensors file is needed.", path, inner: e),
                UnauthorizedAccessException => new CheckpointException($"'{path}' cannot be read: {e.Message} See that it may be read by this user.", path, inner: e),
                IOException => new CheckpointException($"'{path}' cannot be read: {e.Message}", path, inner: e),
                _ => e,
            };
        }
    }

    /// <summary>Reads one tensor.</summary>
    /// <param name="name">Its name.</param>
    /// <returns>The tensor; valid until the handle is disposed.</returns>
    /// <exception cref="CheckpointException">There is no such tensor, it cannot be read, or the file has changed since it was opened.</exception>
    /// <exception cref="PlanException">There is not enough memory for it.</exception>
    /// <exception cref="ObjectDisposedException">The file was disposed.</exception>
    public IWeightHandle OpenTensor(string name)
    {
        ObjectDisposedException.ThrowIf(_handle.IsClosed, this);
        if (!_contents.Tensors.TryGetValue(name, out var entry))
            throw new CheckpointException($"'{Path}' has no tensor '{name}'.", Path, name);

        var memory = NativeBuffer.Unfilled(entry.Bytes);
        try
        {
            Read(entry, memory);
            return new LoadedTensor(entry, memory);
        }
        catch (Exception e)
        {
            memory.Dispose();
            throw e is IOException or UnauthorizedAccessException
                ? new CheckpointException($"'{Path}': tensor '{name}' can no longer be read: {e.Message} Is the disk or network path still there?", Path, name, e)
                : e;
        }
    }

    /// <summary>Closes the file. Handles still open stay valid until they are disposed.</summary>
    public void Dispose() => _handle.Dispose();

    /// <summary>Reads a tensor's bytes, then looks whether they still are those of the file that was opened.</summary>
    void Read(SafetensorsEntry entry, NativeBuffer memory)
    {
        const int largest = 1 << 30;
        for (long done = 0; done < entry.Bytes;)
        {
            var piece = (int)Math.Min(largest, entry.Bytes - done);
            var read = DiskReads.Read(_handle, Path, memory.Span<byte>(done, piece), entry.Offset + done);
            done += read;
            if (read < piece)
                throw new CheckpointException($"'{Path}' was shortened to {entry.Offset + done:N0} bytes while it was open; tensor '{entry.Name}' ends at {entry.Offset + entry.Bytes:N0}.", Path, entry.Name);
        }

        if (DiskReads.Written(_handle, Path) != _written)
            throw new CheckpointException($"'{Path}' was written to while it was open; its tensors may no longer be those of its header. Open the model again.", Path, entry.Name);
    }

    static SafetensorsContents ReadHeader(SafeFileHandle handle, long bytes, string path)
    {
        var start = new byte[Math.Min(bytes, ForeignFormats.SampleBytes)];
        ReadExactly(handle, start, 0, path);
        var foreign = ForeignFormats.Describe(start);
        CheckpointException Fault(string message) =>
            new(foreign is null ? $"'{path}': {message}" : $"'{path}' is no safetensors file. {foreign}", path);

        if (bytes == 0)
            throw new CheckpointException($"'{path}' is empty. Was the download cut short?", path);

        if (bytes < SafetensorsHeader.PrefixBytes)
            throw Fault($"a safetensors file begins with an {SafetensorsHeader.PrefixBytes}-byte header length, but the file has {bytes} bytes.");

        var length = BinaryPrimitives.ReadUInt64LittleEndian(start);
        if (length > (ulong)SafetensorsHeader.MaxBytes)
            throw Fault($"the header length is {length:N0}, over the format's limit of {SafetensorsHeader.MaxBytes:N0}; this is no safetensors file, or it is damaged.");

        if ((long)length > bytes - SafetensorsHeader.PrefixBytes)
            throw Fault($"the header alone needs {length + SafetensorsHeader.PrefixBytes:N0} bytes, but the file has {bytes:N0}: it is truncated. Was the download cut short?");

        if (length == 0 || start[SafetensorsHeader.PrefixBytes] != (byte)'{')
            throw Fault("the header does not begin with '{'.");

        var header = new byte[length];
        ReadExactly(handle, header, SafetensorsHeader.PrefixBytes, path);
        return SafetensorsHeader.Parse(header, bytes, path);
    }

    static void ReadExactly(SafeFileHandle handle, Span<byte> destination, long offset, string path)
    {
        var read = DiskReads.Read(handle, path, destination, offset);
        if (read < destination.Length)
            throw new CheckpointException($"'{path}' ended at byte {offset + read:N0} while its header was read.", path);
    }
}
