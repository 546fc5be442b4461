namespace FramePainter.Fuzz.Targets;

/// <summary>A file that inputs are written to, in memory where the system has such a folder.</summary>
internal sealed class ScratchFile(string name) : IDisposable
{
    readonly DirectoryInfo _folder = Directory.Exists("/dev/shm")
        ? Directory.CreateDirectory(System.IO.Path.Combine("/dev/shm", $"framepainter-fuzz-{Guid.NewGuid():N}"))
        : Directory.CreateTempSubdirectory("framepainter-fuzz-");

    public string Path => System.IO.Path.Combine(_folder.FullName, name);

    public void Write(ReadOnlySpan<byte> bytes) => File.WriteAllBytes(Path, bytes);

    public void Dispose() => _folder.Delete(recursive: true);
}
