using System.Globalization;
using System.Text;

namespace FramePainter.Weights;

/// <summary>
/// Hashes of files that were computed before, in a text file of the user's cache: one line each of hash, length, time of the last write, and path. A file
/// that differs in length or time is hashed anew. Whatever is wrong with the cache, hashes are computed; nothing of it is an error.
/// </summary>
/// <param name="file">The text file.</param>
sealed class HashCache(string file)
{
    const int MostBytes = 4 << 20;
    const int MostLines = 4096;

    /// <summary>The cache of this user; null where there is no folder for one.</summary>
    public static HashCache? OfUser()
    {
        try
        {
            var data = Environment.GetFolderPath(Environment.SpecialFolder.LocalApplicationData, Environment.SpecialFolderOption.Create);
            return data.Length > 0 ? new HashCache(Path.Combine(data, "FramePainter", "weight-hashes.txt")) : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>The hash of a file: the one remembered, or computed and remembered.</summary>
    /// <exception cref="CheckpointException">The file cannot be read.</exception>
    public string Of(string path, CancellationToken cancel)
    {
        var key = Key(path);
        if (key is not null && Lines().FirstOrDefault(l => l.EndsWith(key, StringComparison.Ordinal)) is { } known)
            return known[..64];

        var hash = WeightHashes.Of(path, cancel);

        // A file that was written to meanwhile has no hash to remember.
        if (key is not null && Key(path) == key)
            Remember(hash + key, path);

        return hash;
    }

    /// <summary>What a line holds behind its hash.</summary>
    static string? Key(string path)
    {
        try
        {
            var info = new FileInfo(path);
            var full = info.FullName;
            return full.Contains('\n', StringComparison.Ordinal) ? null : string.Create(CultureInfo.InvariantCulture, $" {info.Length} {info.LastWriteTimeUtc.Ticks} {full}");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    IEnumerable<string> Lines()
    {
        try
        {
            if (!File.Exists(file) || new FileInfo(file).Length > MostBytes)
                return [];

            return File.ReadAllLines(file).Where(l => l.Length > 65 && l[64] == ' ' && l[..64].All(char.IsAsciiHexDigitLower));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }

    void Remember(string line, string path)
    {
        try
        {
            var folder = Path.GetDirectoryName(file)!;
            Directory.CreateDirectory(folder);
            var ending = " " + Path.GetFullPath(path);
            var lines = Lines().Where(l => !l.EndsWith(ending, StringComparison.Ordinal)).TakeLast(MostLines - 1).Append(line);
            var partial = Path.Combine(folder, $".{Path.GetFileName(file)}.{Guid.NewGuid():N}.tmp");
            try
            {
                File.WriteAllText(partial, string.Join('\n', lines) + '\n', new UTF8Encoding(false));
                File.Move(partial, file, overwrite: true);
            }
            finally
            {
                File.Delete(partial);
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // The next painter computes it again.
        }
    }
}
