using System.Buffers;
using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text.Json;
using FramePainter.Tensors;

namespace FramePainter.Weights.Safetensors;

/// <summary>A tensor that is going to be written.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Type">Its element type.</param>
/// <param name="Shape">Its extents.</param>
public sealed record SafetensorsDeclaration(string Name, DType Type, Shape Shape)
{
    /// <summary>Its size in bytes.</summary>
    /// <exception cref="OverflowException">The size does not fit 63 bits.</exception>
    public long Bytes => checked(Shape.Count * Type.Size());
}

/// <summary>
/// Writes a safetensors file as a stream: all tensors are declared first, their bytes follow in the declared order in pieces of any
/// size, so that files of any size need no memory. The file grows under a temporary name beside the final one and takes its name in
/// <see cref="Complete"/>; until then, and after any failure, nothing is seen under the final name.
/// </summary>
public sealed class SafetensorsWriter : IDisposable
{
    const int HeaderAlignment = 8;
    readonly string _path;
    readonly string _temporary;
    readonly FileStream _stream;
    readonly IReadOnlyList<SafetensorsDeclaration> _tensors;
    int _current;
    long _written;
    bool _closed;

    SafetensorsWriter(string path, string temporary, FileStream stream, IReadOnlyList<SafetensorsDeclaration> tensors)
    {
        _path = path;
        _temporary = temporary;
        _stream = stream;
        _tensors = tensors;
    }

    /// <summary>Begins a file. Disk space for the whole of it is asked for at once.</summary>
    /// <param name="path">The final name; a file of that name is replaced on completion.</param>
    /// <param name="tensors">All tensors, in the order in which their bytes will come.</param>
    /// <param name="metadata">The header's <c>__metadata__</c>; none when null or empty.</param>
    /// <exception cref="CheckpointException">The file cannot be created, the disk is too full, or two tensors share a name.</exception>
    public static SafetensorsWriter Create(string path, IReadOnlyList<SafetensorsDeclaration> tensors, IReadOnlyDictionary<string, string>? metadata = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        ArgumentNullException.ThrowIfNull(tensors);
        var header = Header(path, tensors, metadata);
        var full = Path.GetFullPath(path);
        var temporary = Path.Combine(Path.GetDirectoryName(full)!, $".{Path.GetFileName(full)}.{Guid.NewGuid():N}.partial");
        FileStream? stream = null;
        try
        {
            stream = new FileStream(temporary, new FileStreamOptions
            {
                Mode = FileMode.CreateNew,
                Access = FileAccess.Write,
                PreallocationSize = checked(header.Length + tensors.Sum(t => t.Bytes)),
            });
            stream.Write(header);
            return new(full, temporary, stream, tensors);
        }
        catch (Exception e)
        {
            stream?.Dispose();
            Delete(temporary);
            throw Typed(e, full);
        }
    }

    /// <summary>Writes float tensors in one go.</summary>
    /// <param name="path">The file.</param>
    /// <param name="tensors">Shape and row-major values by name.</param>
    /// <param name="type">How they are stored: F32, or F16 or BF16 rounded to nearest even.</param>
    /// <param name="metadata">The header's <c>__metadata__</c>; none when null or empty.</param>
    /// <exception cref="CheckpointException">The file cannot be written.</exception>
    /// <exception cref="ArgumentException">The number of values is not what the shape asks for, or the type is no weight type.</exception>
    public static void Write(
        string path,
        IReadOnlyDictionary<string, (Shape Shape, float[] Values)> tensors,
        DType type = DType.F32,
        IReadOnlyDictionary<string, string>? metadata = null)
    {
        ArgumentNullException.ThrowIfNull(tensors);
        if (!type.IsWeight())
            throw new ArgumentException($"Floats are written as F32, F16 or BF16, not {type}.", nameof(type));

        var entries = tensors.ToArray();
        foreach (var (name, (shape, values)) in entries)
        {
            if (shape.Count != values.Length)
                throw new ArgumentException($"Tensor '{name}' has {values.Length} values for shape {shape}.", nameof(tensors));
        }

        using var writer = Create(path, [.. entries.Select(e => new SafetensorsDeclaration(e.Key, type, e.Value.Shape))], metadata);
        foreach (var (name, (_, values)) in entries)
        {
            writer.Append(name, values);
        }

        writer.Complete();
    }

    /// <summary>Appends bytes to a tensor. Tensors come in the declared order, each complete before the next.</summary>
    /// <param name="name">The tensor.</param>
    /// <param name="data">Its next bytes, little-endian.</param>
    /// <exception cref="CheckpointException">The disk is full or failed.</exception>
    /// <exception cref="InvalidOperationException">Another tensor's turn it is, or more bytes come than were declared.</exception>
    public void Append(string name, ReadOnlySpan<byte> data)
    {
        ObjectDisposedException.ThrowIf(_closed, this);
        SkipComplete(name);
        var tensor = _current < _tensors.Count ? _tensors[_current] : null;
        if (tensor?.Name != name)
        {
            // An empty tensor has no bytes to wait for and may be appended to with none at any time.
            if (data.IsEmpty)
                return;

            throw new InvalidOperationException($"Tensor '{name}' came where '{tensor?.Name ?? "nothing"}' was declared.");
        }

        if (data.Length > tensor.Bytes - _written)
            throw new InvalidOperationException($"Tensor '{name}' was declared with {tensor.Bytes:N0} bytes; {_written + data.Length:N0} came.");

        try
        {
            _stream.Write(data);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Typed(e, _path);
        }

        _written += data.Length;
    }

    /// <summary>Appends floats to a tensor, converted to its declared type.</summary>
    /// <param name="name">The tensor, of type F32, F16 or BF16.</param>
    /// <param name="values">Its next values.</param>
    /// <exception cref="CheckpointException">The disk is full or failed.</exception>
    /// <exception cref="InvalidOperationException">Another tensor's turn it is, its type is no weight type, or more values come than were declared.</exception>
    public void Append(string name, ReadOnlySpan<float> values)
    {
        const int piece = 1 << 16;
        SkipComplete(name);
        var type = _current < _tensors.Count ? _tensors[_current].Type : DType.F32;
        if (type == DType.F32)
        {
            for (; values.Length > piece; values = values[piece..])
            {
                Append(name, MemoryMarshal.AsBytes(values[..piece]));
            }

            Append(name, MemoryMarshal.AsBytes(values));
            return;
        }

        if (!type.IsWeight())
            throw new InvalidOperationException($"Tensor '{name}' was declared as {type}; floats are written as F32, F16 or BF16.");

        var narrow = ArrayPool<ushort>.Shared.Rent(piece);
        for (; !values.IsEmpty; values = values[Math.Min(piece, values.Length)..])
        {
            var part = values[..Math.Min(piece, values.Length)];
            var target = narrow.AsSpan(0, part.Length);
            if (type == DType.F16)
                HalfConversion.NarrowF16(part, target);
            else
                HalfConversion.NarrowBF16(part, target);

            Append(name, MemoryMarshal.AsBytes(target));
        }

        ArrayPool<ushort>.Shared.Return(narrow);
    }

    /// <summary>Closes the file and gives it its final name.</summary>
    /// <exception cref="CheckpointException">The disk is full or failed.</exception>
    /// <exception cref="InvalidOperationException">A declared tensor is not complete.</exception>
    public void Complete()
    {
        ObjectDisposedException.ThrowIf(_closed, this);
        SkipComplete(null);
        if (_current < _tensors.Count)
            throw new InvalidOperationException($"Tensor '{_tensors[_current].Name}' has {_written:N0} of its {_tensors[_current].Bytes:N0} bytes.");

        try
        {
            _closed = true;
            _stream.Dispose();
            File.Move(_temporary, _path, overwrite: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            Delete(_temporary);
            throw Typed(e, _path);
        }
    }

    /// <summary>Ends writing; a file not completed is deleted.</summary>
    public void Dispose()
    {
        if (_closed)
            return;

        _closed = true;
        try
        {
            _stream.Dispose();
        }
        catch (IOException)
        {
            // The file is thrown away: what could not be flushed to it does not matter.
        }

        Delete(_temporary);
    }

    static byte[] Header(string path, IReadOnlyList<SafetensorsDeclaration> tensors, IReadOnlyDictionary<string, string>? metadata)
    {
        var buffer = new ArrayBufferWriter<byte>();
        BinaryPrimitives.WriteUInt64LittleEndian(buffer.GetSpan(SafetensorsHeader.PrefixBytes), 0);
        buffer.Advance(SafetensorsHeader.PrefixBytes);
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            if (metadata is { Count: > 0 })
            {
                json.WriteStartObject("__metadata__");
                foreach (var (key, value) in metadata)
                {
                    json.WriteString(key, value);
                }

                json.WriteEndObject();
            }

            var names = new HashSet<string>(StringComparer.Ordinal) { "__metadata__" };
            long offset = 0;
            foreach (var tensor in tensors)
            {
                if (!names.Add(tensor.Name))
                    throw new CheckpointException($"'{path}' cannot be written: two tensors are named '{tensor.Name}'.", path, tensor.Name);

                json.WriteStartObject(tensor.Name);
                json.WriteString("dtype", SafetensorsTypes.Label(tensor.Type));
                json.WriteStartArray("shape");
                foreach (var extent in tensor.Shape.Extents)
                {
                    json.WriteNumberValue(extent);
                }

                json.WriteEndArray();
                json.WriteStartArray("data_offsets");
                json.WriteNumberValue(offset);
                offset = checked(offset + tensor.Bytes);
                json.WriteNumberValue(offset);
                json.WriteEndArray();
                json.WriteEndObject();
            }

            json.WriteEndObject();
        }

        var padding = (HeaderAlignment - (buffer.WrittenCount % HeaderAlignment)) % HeaderAlignment;
        buffer.GetSpan(padding)[..padding].Fill((byte)' ');
        buffer.Advance(padding);

        var header = buffer.WrittenSpan.ToArray();
        var length = header.Length - SafetensorsHeader.PrefixBytes;
        if (length > SafetensorsHeader.MaxBytes)
            throw new CheckpointException($"'{path}' cannot be written: its header of {length:N0} bytes is over the format's limit of {SafetensorsHeader.MaxBytes:N0}.", path);

        BinaryPrimitives.WriteUInt64LittleEndian(header, (ulong)length);
        return header;
    }

    void SkipComplete(string? name)
    {
        while (_current < _tensors.Count && _written == _tensors[_current].Bytes && _tensors[_current].Name != name)
        {
            _current++;
            _written = 0;
        }
    }

    static void Delete(string file)
    {
        try
        {
            File.Delete(file);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // The error that led here says more than this one.
        }
    }

    static Exception Typed(Exception e, string path) =>
        e is IOException or UnauthorizedAccessException
            ? new CheckpointException($"'{path}' cannot be written: {e.Message}", path, inner: e)
            : e;
}
