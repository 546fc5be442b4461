using System.Security.Cryptography;

namespace FramePainter.Toy;

/// <summary>One embedded file of the toy checkpoint: its path below the model folder, and what it must hold.</summary>
sealed class ToyFile
{
    const string Prefix = "model/";

    ToyFile(string path, byte[] bytes)
    {
        Path = path;
        Length = bytes.Length;
        Hash = SHA256.HashData(bytes);
    }

    /// <summary>All files, in ordinal order of their paths.</summary>
    public static IReadOnlyList<ToyFile> All { get; } =
    [
        .. typeof(ToyFile).Assembly.GetManifestResourceNames()
            .Where(name => name.StartsWith(Prefix, StringComparison.Ordinal))
            .Order(StringComparer.Ordinal)
            .Select(name => new ToyFile(name[Prefix.Length..], ReadResource(name))),
    ];

    /// <summary>First 16 hexadecimal digits of the SHA-256 over all paths and contents: the name of this version of the toy.</summary>
    public static string ContentHash { get; } = HashAll();

    /// <summary>Path below the model folder, with forward slashes.</summary>
    public string Path { get; }

    /// <summary>Bytes.</summary>
    public long Length { get; }

    /// <summary>SHA-256 of the content.</summary>
    public byte[] Hash { get; }

    /// <summary>The embedded content.</summary>
    public byte[] Read() => ReadResource(Prefix + Path);

    /// <summary>Where the file lies below a folder.</summary>
    public string Below(string folder) => System.IO.Path.Combine([folder, .. Path.Split('/')]);

    /// <summary>Whether the file below the folder is there with the embedded content.</summary>
    public bool IsIntact(string folder)
    {
        var file = new FileInfo(Below(folder));
        if (!file.Exists || file.Length != Length)
            return false;

        using var stream = file.OpenRead();
        return SHA256.HashData(stream).AsSpan().SequenceEqual(Hash);
    }

    /// <summary>An embedded resource of this package, whole.</summary>
    public static byte[] ReadResource(string name)
    {
        using var stream = typeof(ToyFile).Assembly.GetManifestResourceStream(name)
            ?? throw new InvalidOperationException($"The package lacks its resource '{name}'.");
        var bytes = new byte[stream.Length];
        stream.ReadExactly(bytes);
        return bytes;
    }

    static string HashAll()
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var file in All)
        {
            hash.AppendData(System.Text.Encoding.UTF8.GetBytes(file.Path + "\0"));
            hash.AppendData(file.Hash);
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset())[..16];
    }
}
