using System.Buffers;
using System.Security.Cryptography;

namespace FramePainter.Weights;

/// <summary>How a file compares with a list of hashes.</summary>
public enum HashVerdict
{
    /// <summary>It has the hash that the list gives.</summary>
    Same,

    /// <summary>It has another hash.</summary>
    Different,

    /// <summary>The list names it, and it is not there.</summary>
    Missing,

    /// <summary>It holds weights, and the list does not name it.</summary>
    Unlisted,
}

/// <summary>A file compared with a list of hashes.</summary>
/// <param name="File">Its path within the folder, with forward slashes.</param>
/// <param name="Verdict">How it compares.</param>
public readonly record struct HashedFile(string File, HashVerdict Verdict);

/// <summary>SHA-256 of files of weights, in lower-case hexadecimal: which weights they are, and whether they are those that somebody published.</summary>
public static class WeightHashes
{
    const int PieceBytes = 1 << 20;
    const int MostListBytes = 4 << 20;

    /// <summary>The hash of a file.</summary>
    /// <param name="path">The file.</param>
    /// <param name="cancel">Looked at after every mebibyte.</param>
    /// <exception cref="CheckpointException">It cannot be read.</exception>
    public static string Of(string path, CancellationToken cancel = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        var piece = ArrayPool<byte>.Shared.Rent(PieceBytes);
        try
        {
            using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
            using var handle = DiskReads.Open(path);
            for (long at = 0; ;)
            {
                cancel.ThrowIfCancellationRequested();
                var read = (int)DiskReads.Read(handle, path, piece.AsSpan(0, PieceBytes), at);
                hash.AppendData(piece, 0, read);
                at += read;
                if (read < PieceBytes)
                    return Convert.ToHexStringLower(hash.GetHashAndReset());
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CheckpointException($"'{path}' cannot be hashed: {e.Message}", path, inner: e);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(piece);
        }
    }

    /// <summary>Compares a folder with a list of hashes. Every file is read; nothing remembered is trusted.</summary>
    /// <param name="folder">The folder that the list's paths are within.</param>
    /// <param name="list">A text file as <c>sha256sum</c> writes it: 64 hexadecimal digits, two spaces, a path. Empty lines and those that begin with # are passed over.</param>
    /// <param name="progress">Told of each file when it is compared.</param>
    /// <param name="cancel">Looked at after every mebibyte.</param>
    /// <returns>The files of the list in its order, then those that hold weights and are not in it.</returns>
    /// <exception cref="CheckpointException">The folder is not there, a file cannot be read, or a line of the list is of another form or leaves the folder.</exception>
    public static IReadOnlyList<HashedFile> Verify(string folder, string list, IProgress<HashedFile>? progress = null, CancellationToken cancel = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(folder);
        ArgumentException.ThrowIfNullOrEmpty(list);
        if (!Directory.Exists(folder))
            throw new CheckpointException($"There is no folder '{folder}'.", folder);

        var published = ReadList(list);
        var files = new List<HashedFile>();
        foreach (var (file, hash) in published)
        {
            var path = Path.Combine(folder, file);
            Add(file, !File.Exists(path) ? HashVerdict.Missing : string.Equals(Of(path, cancel), hash, StringComparison.Ordinal) ? HashVerdict.Same : HashVerdict.Different);
        }

        foreach (var path in DiskReads.List(folder, f => Directory.EnumerateFiles(f, "*.safetensors", SearchOption.AllDirectories)).Order(StringComparer.Ordinal))
        {
            var file = Path.GetRelativePath(folder, path).Replace('\\', '/');
            if (!published.ContainsKey(file))
                Add(file, HashVerdict.Unlisted);
        }

        return files;

        void Add(string file, HashVerdict verdict)
        {
            files.Add(new(file, verdict));
            progress?.Report(files[^1]);
        }
    }

    static OrderedDictionary<string, string> ReadList(string list)
    {
        string text;
        try
        {
            text = System.Text.Encoding.UTF8.GetString(DiskReads.ReadAll(list, MostListBytes, length => new CheckpointException($"'{list}' has {length:N0} bytes; a list of hashes has at most {MostListBytes:N0}.", list)));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CheckpointException($"The list of hashes '{list}' cannot be read: {e.Message}", list, inner: e);
        }

        var published = new OrderedDictionary<string, string>(StringComparer.Ordinal);
        var number = 0;
        foreach (var line in text.Split('\n').Select(l => l.TrimEnd('\r')))
        {
            number++;
            if (line.Length == 0 || line[0] == '#')
                continue;

            // The second of both characters between is a star where the sum was made in binary mode.
            const int digits = 64;
            var file = line.Length > digits + 2 && line[digits] == ' ' && line[digits + 1] is ' ' or '*' && line[..digits].All(char.IsAsciiHexDigit) ? line[(digits + 2)..].Replace('\\', '/') : null;
            file = file?.StartsWith("./", StringComparison.Ordinal) == true ? file[2..] : file;
            if (string.IsNullOrEmpty(file))
                throw new CheckpointException($"Line {number} of '{list}' is no hash and path as sha256sum writes them: 64 hexadecimal digits, two spaces, a path.", list);

            if (Path.IsPathRooted(file) || file.Split('/').Contains(".."))
                throw new CheckpointException($"Line {number} of '{list}' names '{file}', which is not within the folder.", list);

            if (!published.TryAdd(file, line[..digits].ToLowerInvariant()))
                throw new CheckpointException($"Line {number} of '{list}' names '{file}' a second time.", list);
        }

        return published;
    }
}
