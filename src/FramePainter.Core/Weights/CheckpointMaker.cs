using FramePainter.Tensors;
using FramePainter.Weights.Safetensors;

namespace FramePainter.Weights;

/// <summary>How far the making of a checkpoint is.</summary>
/// <param name="File">The file being written, as a path within the checkpoint.</param>
/// <param name="Bytes">Bytes of tensors written so far, over all files.</param>
/// <param name="TotalBytes">Bytes of tensors in all.</param>
public readonly record struct CheckpointProgress(string File, long Bytes, long TotalBytes);

/// <summary>
/// Makes checkpoints of random weights in the real disk layout (<c>svd/</c> and <c>framepainter/</c>), to test and time any size without
/// the real weights. The same preset, type and seed give the same bytes everywhere.
/// </summary>
public static class CheckpointMaker
{
    const int PieceBytes = 4 << 20;

    // Kernels keep the variance of what goes through them; norms and biases stray a little from 1 and 0, so that none is the identity.
    const double Stray = 0.02;

    /// <summary>Names of the presets: <c>svd-xt</c> has the published model's sizes (2.3 billion parameters), <c>tiny</c> a few million.</summary>
    public static IReadOnlyList<string> Presets => CheckpointPreset.Names;

    /// <summary>Bytes of the tensors that a checkpoint will have.</summary>
    /// <param name="preset">One of <see cref="Presets"/>.</param>
    /// <param name="type">F16, BF16 or F32.</param>
    /// <exception cref="OptionException">There is no such preset, or the type is no weight type.</exception>
    public static long Bytes(string preset, DType type = DType.F16)
    {
        RequireWeightType(type);
        return CheckpointPreset.Find(preset).WeightFiles().Sum(f => f.Tensors.Sum(t => t.Shape.Count)) * type.Size();
    }

    /// <summary>Makes a checkpoint. It is written beside the folder and moved into its place when it is whole.</summary>
    /// <param name="preset">One of <see cref="Presets"/>.</param>
    /// <param name="folder">The folder to make; it must not exist or be empty.</param>
    /// <param name="seed">Seed of the weights.</param>
    /// <param name="type">F16, BF16 or F32.</param>
    /// <param name="progress">Told after every few megabytes.</param>
    /// <param name="cancellation">Ends the making; nothing is left behind.</param>
    /// <exception cref="OptionException">There is no such preset, or the type is no weight type.</exception>
    /// <exception cref="CheckpointException">The folder is not empty, the disk has too little space, or writing failed.</exception>
    /// <exception cref="OperationCanceledException">The making was cancelled.</exception>
    public static void Make(
        string preset,
        string folder,
        long seed = 0,
        DType type = DType.F16,
        IProgress<CheckpointProgress>? progress = null,
        CancellationToken cancellation = default) =>
        Make(CheckpointPreset.Find(preset), folder, seed, type, FreeBytes, progress, cancellation);

    /// <summary>Makes a checkpoint of any sizes.</summary>
    /// <param name="preset">The sizes.</param>
    /// <param name="folder">The folder to make.</param>
    /// <param name="seed">Seed of the weights.</param>
    /// <param name="type">F16, BF16 or F32.</param>
    /// <param name="freeBytes">Free space of the disk that holds a folder; null when unknown.</param>
    /// <param name="progress">Told after every few megabytes.</param>
    /// <param name="cancellation">Ends the making.</param>
    internal static void Make(
        CheckpointPreset preset,
        string folder,
        long seed,
        DType type,
        Func<string, long?> freeBytes,
        IProgress<CheckpointProgress>? progress,
        CancellationToken cancellation)
    {
        ArgumentException.ThrowIfNullOrEmpty(folder);
        RequireWeightType(type);
        folder = Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder));
        if (File.Exists(folder) || (Directory.Exists(folder) && Directory.EnumerateFileSystemEntries(folder).Any()))
            throw new CheckpointException($"'{folder}' is there already and not empty; name a new folder.", folder);

        var files = preset.WeightFiles();
        var total = files.Sum(f => f.Tensors.Sum(t => t.Shape.Count)) * type.Size();
        var parent = Path.GetDirectoryName(folder) ?? throw new CheckpointException($"'{folder}' is the root of a disk; name a folder on it.", folder);
        var temporary = Path.Combine(parent, $".{Path.GetFileName(folder)}.{Guid.NewGuid():N}.partial");
        var done = false;
        try
        {
            Directory.CreateDirectory(parent);
            if (freeBytes(parent) is { } free && free < total)
                throw new CheckpointException($"The checkpoint needs {total:N0} bytes, but the disk of '{parent}' has {free:N0} free.", folder);

            foreach (var (path, json) in PresetConfigs.Files(preset))
            {
                var file = Path.Combine(temporary, path);
                Directory.CreateDirectory(Path.GetDirectoryName(file)!);
                File.WriteAllBytes(file, json);
            }

            long written = 0;
            foreach (var (path, prefix, tensors) in files)
            {
                var file = Path.Combine(temporary, path);
                Directory.CreateDirectory(Path.GetDirectoryName(file)!);
                WriteWeights(file, prefix, tensors, seed, type, bytes => progress?.Report(new(path, written += bytes, total)), cancellation);
            }

            if (Directory.Exists(folder))
                Directory.Delete(folder);

            Directory.Move(temporary, folder);
            done = true;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CheckpointException($"The checkpoint '{folder}' cannot be written: {e.Message}", folder, inner: e);
        }
        finally
        {
            if (!done && Directory.Exists(temporary))
                Directory.Delete(temporary, recursive: true);
        }
    }

    static void WriteWeights(
        string file,
        string prefix,
        IReadOnlyList<ExpectedTensor> tensors,
        long seed,
        DType type,
        Action<int> written,
        CancellationToken cancellation)
    {
        using var writer = SafetensorsWriter.Create(
            file,
            [.. tensors.Select(t => new SafetensorsDeclaration(t.Name[prefix.Length..], type, t.Shape))],
            new Dictionary<string, string>(StringComparer.Ordinal) { ["format"] = "pt" });
        var piece = new byte[PieceBytes];
        foreach (var tensor in tensors)
        {
            var (mean, deviation) = Distribution(tensor);
            var filler = new GaussianFiller((ulong)seed, tensor.Name, type, mean, deviation);
            for (long first = 0; first < tensor.Shape.Count;)
            {
                cancellation.ThrowIfCancellationRequested();
                var count = (int)Math.Min(PieceBytes / type.Size(), tensor.Shape.Count - first);
                var bytes = piece.AsSpan(0, count * type.Size());
                filler.Fill(first, bytes);
                writer.Append(tensor.Name[prefix.Length..], bytes);
                written(bytes.Length);
                first += count;
            }
        }

        writer.Complete();
    }

    static (double Mean, double Deviation) Distribution(ExpectedTensor tensor) => tensor.Role switch
    {
        TensorRole.Kernel => (0, 1 / Math.Sqrt((double)tensor.Shape.Count / tensor.Shape[0])),
        TensorRole.NormScale => (1, Stray),
        TensorRole.Blend => (0.5, 0),
        _ => (0, Stray),
    };

    static void RequireWeightType(DType type)
    {
        if (!type.IsWeight())
            throw new OptionException("dtype", $"Weights are F16, BF16 or F32, not {type}.");
    }

    static long? FreeBytes(string folder)
    {
        try
        {
            return new DriveInfo(folder).AvailableFreeSpace;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException)
        {
            // Some network folders tell no figure; writing itself then finds out.
            return null;
        }
    }
}
