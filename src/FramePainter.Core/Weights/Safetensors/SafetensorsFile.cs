using System.Buffers.Binary;
using System.IO.MemoryMappedFiles;
using FramePainter.Tensors;
using Microsoft.Win32.SafeHandles;

namespace FramePainter.Weights.Safetensors;

/// <summary>
/// A safetensors file, opened by memory mapping. Each tensor is mapped when it is asked for and unmapped when its handle is
/// disposed, so that resident memory does not grow with what was read before; files beyond 2 GB are fine. The header is held
/// to the whole format when the file is opened. Tensors may be opened from several threads at once.
/// </summary>
public sealed class SafetensorsFile : IDisposable
{
    readonly SafeFileHandle _handle;
    readonly MemoryMappedFile _mapping;
    readonly SafetensorsContents _contents;

    SafetensorsFile(string path, long bytes, SafeFileHandle handle, MemoryMappedFile mapping, SafetensorsContents contents)
    {
        Path = path;
        Bytes = bytes;
        _handle = handle;
        _mapping = mapping;
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
            handle = File.OpenHandle(path);
            var bytes = RandomAccess.GetLength(handle);
            var contents = ReadHeader(handle, bytes, path);
            var mapping = MemoryMappedFile.CreateFromFile(handle, null, 0, MemoryMappedFileAccess.Read, HandleInheritability.None, leaveOpen: true);
            return new(path, bytes, handle, mapping, contents);
        }
        catch (Exception e)
        {
            handle?.Dispose();
            throw e switch
            {
                FileNotFoundException or DirectoryNotFoundException => new CheckpointException($"There is no file '{path}'.", path, inner: e),
                UnauthorizedAccessException when Directory.Exists(path) => new CheckpointException($"'{path}' is a folder; a safetensors file is needed.", path, inner: e),
                IOException or UnauthorizedAccessException => new CheckpointException($"'{path}' cannot be read: {e.Message}", path, inner: e),
                _ => e,
            };
        }
    }

    /// <summary>Maps one tensor.</summary>
    /// <param name="name">Its name.</param>
    /// <returns>The tensor; valid until the handle is disposed.</returns>
    /// <exception cref="CheckpointException">There is no such tensor, or the file has shrunk since it was opened.</exception>
    /// <exception cref="ObjectDisposedException">The file was disposed.</exception>
    public IWeightHandle OpenTensor(string name)
    {
        ObjectDisposedException.ThrowIf(_handle.IsClosed, this);
        if (!_contents.Tensors.TryGetValue(name, out var entry))
            throw new CheckpointException($"'{Path}' has no tensor '{name}'.", Path, name);

        // A page beyond the end of a shortened file would end the process, so the length is looked at first.
        var length = RandomAccess.GetLength(_handle);
        if (length < entry.Offset + entry.Bytes)
            throw new CheckpointException($"'{Path}' was shortened to {length:N0} bytes while it was open; tensor '{name}' ends at {entry.Offset + entry.Bytes:N0}.", Path, name);

        try
        {
            return new MappedTensor(_mapping, entry);
        }
        catch (IOException e)
        {
            throw new CheckpointException($"'{Path}': tensor '{name}' cannot be mapped: {e.Message}", Path, name, e);
        }
    }

    /// <summary>Closes the file. Handles still open stay valid until they are disposed.</summary>
    public void Dispose()
    {
        _mapping.Dispose();
        _handle.Dispose();
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
        while (!destination.IsEmpty)
        {
            var read = RandomAccess.Read(handle, destination, offset);
            if (read == 0)
                throw new CheckpointException($"'{path}' ended at byte {offset:N0} while its header was read.", path);

            destination = destination[read..];
            offset += read;
        }
    }
}
