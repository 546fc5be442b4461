using Microsoft.Win32.SafeHandles;

namespace FramePainter.Weights;

/// <summary>Every access to a checkpoint's files, in one place: tests let each of them fail in turn.</summary>
static class DiskReads
{
    /// <summary>The largest piece that is asked of the system at once.</summary>
    const int LargestPiece = 1 << 30;

    [ThreadStatic]
    static Fault? s_fault;

    /// <summary>Stands before an access of the calling thread: throws as the system would, or returns the most bytes that a read may give.</summary>
    /// <param name="path">The file or folder.</param>
    /// <param name="wanted">Bytes that a read wants; 0 where the folder is listed, or the file is opened or asked for its length or time.</param>
    internal delegate int Fault(string path, int wanted);

    /// <summary>Lets a fault stand before all accesses of the calling thread; null takes it away.</summary>
    internal static void Inject(Fault? fault) => s_fault = fault;

    /// <summary>Lists a folder.</summary>
    /// <param name="folder">The folder.</param>
    /// <param name="names">Finds what is asked for in it.</param>
    /// <exception cref="CheckpointException">The folder may not be listed.</exception>
    public static string[] List(string folder, Func<string, IEnumerable<string>> names)
    {
        try
        {
            s_fault?.Invoke(folder, 0);
            return [.. names(folder)];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CheckpointException($"The folder '{folder}' cannot be listed: {e.Message} See that it is there and may be read by this user.", folder, inner: e);
        }
    }

    /// <summary>Opens a file.</summary>
    public static SafeFileHandle Open(string path)
    {
        s_fault?.Invoke(path, 0);
        return File.OpenHandle(path);
    }

    /// <summary>The length of an open file in bytes, now.</summary>
    public static long Length(SafeFileHandle handle, string path)
    {
        s_fault?.Invoke(path, 0);
        return RandomAccess.GetLength(handle);
    }

    /// <summary>When an open file was last written to.</summary>
    public static DateTime Written(SafeFileHandle handle, string path)
    {
        s_fault?.Invoke(path, 0);
        return File.GetLastWriteTimeUtc(handle);
    }

    /// <summary>Reads until the destination is full or the file ends.</summary>
    /// <returns>How many bytes were read.</returns>
    public static long Read(SafeFileHandle handle, string path, Span<byte> destination, long offset)
    {
        var done = 0;
        while (done < destination.Length)
        {
            var wanted = Math.Min(destination.Length - done, LargestPiece);
            var most = s_fault?.Invoke(path, wanted) ?? wanted;
            var read = RandomAccess.Read(handle, destination.Slice(done, Math.Min(wanted, most)), offset + done);
            if (read == 0)
                break;

            done += read;
        }

        return done;
    }

    /// <summary>Reads a whole small file.</summary>
    /// <param name="path">The file.</param>
    /// <param name="mostBytes">The most that it may have.</param>
    /// <param name="tooLarge">Makes the error for one that has more, from its length.</param>
    public static byte[] ReadAll(string path, long mostBytes, Func<long, Exception> tooLarge)
    {
        using var handle = Open(path);
        var length = Length(handle, path);
        if (length > mostBytes)
            throw tooLarge(length);

        var bytes = new byte[length];
        var read = Read(handle, path, bytes, 0);
        return read == length ? bytes : throw new EndOfStreamException($"it ended at byte {read:N0} of {length:N0}.");
    }
}
