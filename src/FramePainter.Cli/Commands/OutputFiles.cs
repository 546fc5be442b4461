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
    }
}
