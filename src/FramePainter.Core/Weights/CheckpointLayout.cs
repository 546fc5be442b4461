namespace FramePainter.Weights;

/// <summary>Finds the files of a checkpoint on a user's disk, and says what is wrong where they are not.</summary>
/// <param name="Svd">The Stable Video Diffusion folder.</param>
/// <param name="FramePainter">The folder of FramePainter's own files.</param>
/// <param name="PreferFp16">Whether a <c>.fp16</c> variant goes before the full-precision file.</param>
sealed record CheckpointLayout(string Svd, string FramePainter, bool PreferFp16)
{
    const string SvdFolder = "svd";
    const string FramePainterFolder = "framepainter";
    const string UNetStem = "unet_diffusion_pytorch_model";
    const string ControlStem = "encoder_diffusion_pytorch_model";
    const string OwnFiles = $"{UNetStem}.safetensors and {ControlStem}.safetensors";

    // unet/ is needed for its config alone: FramePainter's own file holds the whole U-Net.
    static readonly string[] s_svdFolders = ["unet", "vae", "image_encoder", "scheduler", "feature_extractor"];

    public string UNetConfigFile => Path.Combine(Svd, "unet", "config.json");

    public string VaeConfigFile => Path.Combine(Svd, "vae", "config.json");

    public string ClipConfigFile => Path.Combine(Svd, "image_encoder", "config.json");

    public string SchedulerConfigFile => Path.Combine(Svd, "scheduler", "scheduler_config.json");

    public string FeatureExtractorConfigFile => Path.Combine(Svd, "feature_extractor", "preprocessor_config.json");

    public string ModelIndexFile => Path.Combine(Svd, "model_index.json");

    /// <summary>Weights of the four parts: the prefix, and how to find the file or shard index.</summary>
    public IReadOnlyList<(string Prefix, Func<string> Find)> Parts =>
    [
        (TensorNames.UNetPrefix, () => FindWeights(FramePainter, UNetStem)),
        (TensorNames.ControlPrefix, () => FindWeights(FramePainter, ControlStem)),
        (TensorNames.VaePrefix, () => FindWeights(Path.Combine(Svd, "vae"), "diffusion_pytorch_model")),
        (TensorNames.ClipPrefix, () => FindWeights(Path.Combine(Svd, "image_encoder"), "model")),
    ];

    /// <summary>Finds the two folders.</summary>
    /// <exception cref="CheckpointException">A folder is missing, or is another one than it should be.</exception>
    public static CheckpointLayout Resolve(CheckpointLocation location)
    {
        var model = location.Model;
        RequireFolder(model);
        var svd = HasSvd(Path.Combine(model, SvdFolder)) ? Path.Combine(model, SvdFolder) : model;
        if (!HasSvd(svd))
            throw NoSvd(model);

        var absent = s_svdFolders.Where(f => !Directory.Exists(Path.Combine(svd, f))).ToArray();
        if (absent.Length > 0)
            throw new CheckpointException($"The Stable Video Diffusion folder '{svd}' lacks {string.Join(", ", absent.Select(f => f + "/"))}; it needs {string.Join(", ", s_svdFolders.Select(f => f + "/"))}.", svd);

        return new(svd, FindOwn(location, svd), location.PreferFp16);
    }

    static string FindOwn(CheckpointLocation location, string svd)
    {
        if (location.FramePainter is { } given)
        {
            RequireFolder(given);
            var inner = Path.Combine(given, FramePainterFolder);
            if (HasOwn(given))
                return given;

            if (HasOwn(inner))
                return inner;

            throw new CheckpointException($"'{given}' does not hold FramePainter's own weights, {OwnFiles}.{Hint(given, HasOwn)}", given);
        }

        var beside = Path.Combine(location.Model, FramePainterFolder);
        if (Directory.Exists(beside))
            return beside;

        if (HasOwn(location.Model))
            return location.Model;

        var sibling = Path.Combine(Path.GetDirectoryName(Path.GetFullPath(svd)) ?? svd, FramePainterFolder);
        var hint = Fits(sibling, HasOwn) ? $" They are in '{sibling}': name it too, or name the folder that holds both." : string.Empty;
        throw new CheckpointException($"'{location.Model}' is a Stable Video Diffusion folder without FramePainter's own weights; the folder with {OwnFiles} is needed too.{hint}", location.Model);
    }

    static CheckpointException NoSvd(string model)
    {
        if (HasOwn(model))
            return new($"'{model}' holds FramePainter's own weights; the folder of stable-video-diffusion-img2vid-xt-1-1 is needed as the model, and this one beside it.", model);

        var found = DiskReads.List(model, Directory.EnumerateFileSystemEntries).Select(Path.GetFileName).Order(StringComparer.Ordinal).Take(8).ToArray();
        var holds = found.Length == 0 ? "It is empty." : $"It holds {string.Join(", ", found)}.";
        return new(
            $"'{model}' is no model folder: it needs {string.Join(", ", s_svdFolders.Select(f => f + "/"))} of stable-video-diffusion-img2vid-xt-1-1, or {SvdFolder}/ and {FramePainterFolder}/. {holds}{Hint(model, f => HasSvd(f) || HasSvd(Path.Combine(f, SvdFolder)))}",
            model);
    }

    // One level too low, or up to three too high (a download cache keeps snapshots/ID/ in between).
    static string Hint(string folder, Func<string, bool> fits)
    {
        const int depth = 3, mostFolders = 2000;
        var up = Path.GetDirectoryName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder)));
        if (up is not null && Fits(up, fits))
            return $" Its parent '{up}' looks right.";

        var options = new EnumerationOptions { RecurseSubdirectories = true, MaxRecursionDepth = depth - 1, IgnoreInaccessible = true };
        var inner = DiskReads.List(folder, f => Directory.EnumerateDirectories(f, "*", options).Take(mostFolders)).FirstOrDefault(f => Fits(f, fits));
        return inner is null ? string.Empty : $" '{inner}' looks right.";
    }

    // A hint is no place for an error: what may not be listed is not hinted at.
    static bool Fits(string folder, Func<string, bool> fits)
    {
        try
        {
            return fits(folder);
        }
        catch (CheckpointException)
        {
            return false;
        }
    }

    static void RequireFolder(string folder)
    {
        if (File.Exists(folder))
            throw new CheckpointException($"'{folder}' is a file; a folder is needed.", folder);

        if (!Directory.Exists(folder))
            throw new CheckpointException($"There is no folder '{folder}'.", folder);
    }

    static bool HasSvd(string folder) => s_svdFolders.Count(f => Directory.Exists(Path.Combine(folder, f))) >= 2;

    static bool HasOwn(string folder) =>
        Directory.Exists(folder)
        && DiskReads.List(folder, f => Directory.EnumerateFiles(f, UNetStem + ".*").Concat(Directory.EnumerateFiles(f, ControlStem + ".*")).Take(1)).Length > 0;

    string FindWeights(string folder, string stem)
    {
        string[] full = [$"{stem}.safetensors", $"{stem}.safetensors.index.json"];
        string[] half = [$"{stem}.fp16.safetensors", $"{stem}.safetensors.index.fp16.json", $"{stem}.fp16.safetensors.index.json"];
        string[] candidates = PreferFp16 ? [.. half, .. full] : [.. full, .. half];
        foreach (var candidate in candidates)
        {
            var path = Path.Combine(folder, candidate);
            if (File.Exists(path))
                return path;
        }

        var pickles = Directory.Exists(folder)
            ? DiskReads.List(folder, Directory.EnumerateFiles).Select(f => Path.GetFileName(f)).Where(f => Path.GetExtension(f) is ".bin" or ".ckpt" or ".pt" or ".pth").ToArray()
            : [];
        var note = pickles.Length > 0 ? $" Pickled weights ({string.Join(", ", pickles)}) are not read: fetch or convert to safetensors." : string.Empty;
        throw new CheckpointException($"'{folder}' has no weights: one of {string.Join(", ", candidates)} is needed.{note}", Path.Combine(folder, full[0]));
    }
}
