namespace FramePainter.Cli.Commands;

/// <summary>Several files that belong together: all of them appear in a folder, or none.</summary>
static class OutputFolder
{
    /// <summary>Refuses a folder that cannot hold the files, or has one of them that may not be replaced.</summary>
    public static void Check(string folder, IEnumerable<string> names, bool overwrite)
    {
        if (File.Exists(folder))
            throw new IOException($"'{folder}' is a file; name a folder to write into.");
        if (!Directory.Exists(folder))
        {
            // Made only when there is something to write; the folder that it is made in is there.
            var above = Path.GetFullPath(folder);
            while (!Directory.Exists(above))
                above = Path.GetDirectoryName(above) ?? throw new DirectoryNotFoundException($"There is no place for the folder '{folder}'.");

            OutputFiles.CheckFolder(above);
            return;
        }

        foreach (var name in names)
            OutputFiles.Check(Path.Combine(folder, name), overwrite);
    }

    /// <summary>Writes all files beside their places, then renames them. The folder is made if it is not there.</summary>
    /// <returns>The paths.</returns>
    public static IReadOnlyList<string> Write(string folder, IReadOnlyList<(string Name, byte[] Content)> files, bool overwrite, CancellationToken cancel)
    {
        cancel.ThrowIfCancellationRequested();
        Directory.CreateDirectory(folder);
        var moves = files.Select(f => (Partial: Path.Combine(folder, $".{f.Name}.{Guid.NewGuid():N}.tmp"), Final: Path.Combine(folder, f.Name), f.Content)).ToList();
        try
        {
            foreach (var (partial, _, content) in moves)
                File.WriteAllBytes(partial, content);

            foreach (var (partial, final, _) in moves)
                File.Move(partial, final, overwrite);
        }
        finally
        {
            foreach (var (partial, _, _) in moves)
                File.Delete(partial);
        }

        return [.. moves.Select(m => m.Final)];
    }
}
