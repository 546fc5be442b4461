using FramePainter.Imaging;

namespace FramePainter.Cli.Commands;

/// <summary>Looks at output paths before the work begins: a long edit should not end at a file that cannot be written.</summary>
static class OutputFiles
{
    /// <summary>Refuses an output file whose folder is missing, or that is there and may not be replaced.</summary>
    public static void Check(string path, bool overwrite)
    {
        var folder = Path.GetDirectoryName(Path.GetFullPath(path));
        if (Directory.Exists(path))
            throw new IOException($"'{path}' is a folder; name a file to write.");
        if (folder is not null && !Directory.Exists(folder))
            throw new DirectoryNotFoundException($"The folder '{folder}' is not there to write '{Path.GetFileName(path)}' into.");
        if (!overwrite && File.Exists(path))
            throw new IOException($"'{path}' is there already; give --overwrite to replace it.");

        CheckFolder(folder ?? path);
    }

    /// <summary>Refuses a folder that no file can be made in, by making one and removing it.</summary>
    public static void CheckFolder(string folder)
    {
        try
        {
            new FileStream(Path.Combine(folder, $".{Guid.NewGuid():N}.tmp"), FileMode.CreateNew, FileAccess.Write, FileShare.None, bufferSize: 1, FileOptions.DeleteOnClose).Dispose();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new IOException($"The folder '{folder}' cannot be written into: {e.Message}", e);
        }
    }

    /// <summary>The one of several output files that is named twice, or null.</summary>
    public static string? Twice(IEnumerable<string> paths) =>
        paths.GroupBy(Path.GetFullPath, OperatingSystem.IsLinux() ? StringComparer.Ordinal : StringComparer.OrdinalIgnoreCase).FirstOrDefault(g => g.Count() > 1)?.First();

    /// <summary>Writes a picture file that <see cref="Edited"/> or <see cref="ImageFile"/> made.</summary>
    public static void Write(string path, bool overwrite, byte[] file) => ImageFile.Replace(path, overwrite, stream => stream.Write(file));

    /// <summary>An edited picture as the bytes of its file; says so where the signal is too large to be among the metadata.</summary>
    public static byte[] Edited(EditResult result, string path, bool metadata)
    {
        if (!metadata)
            return ImageFile.Encode(result.Edited, path);

        var (png, hasSignal) = EditFile.EncodeWhatFits(result);
        if (!hasSignal)
            Console.Error.WriteLine("warning: the signal's picture is too large to be kept in the PNG, from which 'replay' cannot make the edit again; --no-metadata leaves the rest out, too.");

        return png;
    }
}
