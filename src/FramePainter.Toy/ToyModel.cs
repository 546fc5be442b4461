namespace FramePainter.Toy;

/// <summary>
/// The toy checkpoint: a small FramePainter trained from nothing on synthetic 64×64 pictures of coloured shapes. It is there to try the
/// library without the 9 GB of real weights; it knows shapes on gradients and nothing else, and is no measure of FramePainter's quality.
/// </summary>
public static class ToyModel
{
    /// <summary>The folder of the toy checkpoint in the user's cache, extracted and verified as by <see cref="Extract"/>.</summary>
    /// <exception cref="CheckpointException">The cache cannot be written.</exception>
    public static string Folder => Extract();

    /// <summary>The folder with the base model's layout, as <c>Model</c> of the painter's options takes it.</summary>
    /// <exception cref="CheckpointException">The cache cannot be written.</exception>
    public static string SvdFolder => Path.Combine(Extract(), "svd");

    /// <summary>The folder with FramePainter's own two files, as <c>Checkpoint</c> of the painter's options takes it.</summary>
    /// <exception cref="CheckpointException">The cache cannot be written.</exception>
    public static string CheckpointFolder => Path.Combine(Extract(), "framepainter");

    /// <summary>The 24 held-out pairs that come with the toy, in order of their names.</summary>
    public static IReadOnlyList<ToySample> Samples { get; } = ToySample.All();

    /// <summary>
    /// Lays the toy checkpoint down in a cache folder, once per version of the toy: later calls only verify length and SHA-256 of every file
    /// and write anew those that are missing or damaged. Several threads and processes may call it at once.
    /// </summary>
    /// <param name="cacheFolder">The folder that will hold <c>toy-…</c>; null means <c>FramePainter</c> in the user's local application data.</param>
    /// <returns>The full path of the folder that holds <c>svd/</c> and <c>framepainter/</c>.</returns>
    /// <exception cref="CheckpointException">The cache cannot be read or written, or the user has no folder for application data.</exception>
    public static string Extract(string? cacheFolder = null)
    {
        var cache = Path.GetFullPath(cacheFolder ?? DefaultCache());
        var folder = Path.Combine(cache, "toy-" + ToyFile.ContentHash);
        try
        {
            if (!Directory.Exists(folder))
                ExtractAll(cache, folder);

            foreach (var file in ToyFile.All)
            {
                if (!file.IsIntact(folder))
                    Repair(file, folder);
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CheckpointException(
                $"The toy checkpoint cannot be laid down in '{folder}': {e.Message} Give a cache folder that can be written.", folder, inner: e);
        }

        return folder;
    }

    static string DefaultCache()
    {
        var data = "";
        Exception? inner = null;
        try
        {
            // Create: without it the answer is empty where the folder is not there yet, as on a fresh Linux home.
            data = Environment.GetFolderPath(Environment.SpecialFolder.LocalApplicationData, Environment.SpecialFolderOption.Create);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            inner = e;
        }

        return data.Length > 0
            ? Path.Combine(data, "FramePainter")
            : throw new CheckpointException("This user has no folder for local application data to keep the toy checkpoint in: give a cache folder.", inner: inner);
    }

    // All files go into a folder of this call's own, which gets its final name in one step: no process ever sees half a checkpoint.
    static void ExtractAll(string cache, string folder)
    {
        var partial = Path.Combine(cache, $"{Path.GetFileName(folder)}.{Guid.NewGuid():N}.tmp");
        try
        {
            foreach (var file in ToyFile.All)
            {
                var path = file.Below(partial);
                Directory.CreateDirectory(Path.GetDirectoryName(path)!);
                File.WriteAllBytes(path, file.Read());
            }

            try
            {
                Directory.Move(partial, folder);
            }
            catch (IOException) when (Directory.Exists(folder))
            {
                // Another process was faster; its files are verified like any others.
            }
        }
        finally
        {
            if (Directory.Exists(partial))
                Directory.Delete(partial, recursive: true);
        }
    }

    // Renamed over the damaged file: a process that still maps the old one keeps what it has.
    static void Repair(ToyFile file, string folder)
    {
        var path = file.Below(folder);
        var partial = $"{path}.{Guid.NewGuid():N}.tmp";
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        try
        {
            File.WriteAllBytes(partial, file.Read());
            File.Move(partial, path, overwrite: true);
        }
        finally
        {
            File.Delete(partial);
        }
    }
}
