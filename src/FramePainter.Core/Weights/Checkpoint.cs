using FramePainter.Tensors;
using FramePainter.Weights.Safetensors;

namespace FramePainter.Weights;

/// <summary>
/// A whole checkpoint, opened and checked: configs, and every tensor of the four networks bound to its place in a file. Names carry
/// their part's prefix, <c>unet.</c>, <c>control.</c>, <c>vae.</c> or <c>clip.</c> Tensors may be opened from several threads at once.
/// </summary>
public sealed class Checkpoint : IWeightSource, IDisposable
{
    readonly CheckpointContents _contents;
    readonly Dictionary<string, (SafetensorsFile File, SafetensorsEntry Entry)> _bound;
    bool _disposed;

    Checkpoint(CheckpointContents contents, CheckpointReport report)
    {
        _contents = contents;
        _bound = contents.Bound;
        Report = report;
        WeightBytes = _bound.Values.Sum(b => b.Entry.Bytes);
    }

    /// <summary>The attention kind that the U-Net was opened for.</summary>
    public AttentionKind Attention => _contents.Attention;

    /// <summary>Files and tensors of the checkpoint.</summary>
    public CheckpointReport Report { get; }

    /// <summary>The files of weights with their sizes.</summary>
    public IReadOnlyList<CheckpointFile> Files => Report.Files;

    /// <summary>Names of all bound tensors.</summary>
    public IReadOnlyCollection<string> TensorNames => _bound.Keys;

    /// <summary>Bytes of all bound tensors as stored.</summary>
    public long WeightBytes { get; }

    /// <summary>The U-Net's sizes.</summary>
    internal UNetConfig UNet => _contents.UNet!;

    /// <summary>The VAE's sizes.</summary>
    internal VaeConfig Vae => _contents.Vae!;

    /// <summary>The CLIP vision tower's sizes.</summary>
    internal ClipVisionConfig Clip => _contents.Clip!;

    /// <summary>The control encoder's sizes.</summary>
    internal ControlEncoderConfig Control => _contents.Control!;

    /// <summary>The noise schedule.</summary>
    internal SchedulerConfig Scheduler => _contents.Scheduler!;

    /// <summary>How the CLIP tower's pixels are normalised.</summary>
    internal FeatureExtractorConfig FeatureExtractor => _contents.FeatureExtractor!;

    /// <summary>Opens a checkpoint.</summary>
    /// <param name="modelFolder">The Stable Video Diffusion folder, or one that holds <c>svd/</c> and <c>framepainter/</c>.</param>
    /// <param name="framePainterFolder">The folder of FramePainter's own files; null when the first holds both.</param>
    /// <param name="attention">The attention kind to open the U-Net for.</param>
    /// <exception cref="CheckpointException">As in <see cref="Open(CheckpointLocation)"/>.</exception>
    public static Checkpoint Open(string modelFolder, string? framePainterFolder = null, AttentionKind attention = AttentionKind.Matching) =>
        Open(new CheckpointLocation(modelFolder, framePainterFolder, attention));

    /// <summary>Opens a checkpoint. Only headers and configs are read.</summary>
    /// <param name="location">Where it lies.</param>
    /// <returns>The open checkpoint; dispose it after the last handle taken from it.</returns>
    /// <exception cref="CheckpointException">
    /// A folder or file is missing or malformed, a config is refused, or tensors do not fit: all of those together, with the whole list in
    /// <see cref="CheckpointException.Report"/>.
    /// </exception>
    public static Checkpoint Open(CheckpointLocation location)
    {
        ArgumentNullException.ThrowIfNull(location);
        var layout = CheckpointLayout.Resolve(location);
        var contents = new CheckpointContents(location.Attention);
        try
        {
            contents.Load(layout, static e => throw e);
            var report = contents.Compare();
            return report.Issues.Count == 0
                ? new(contents, report)
                : throw new CheckpointException($"The checkpoint '{location.Model}' does not fit its configs: {report.Describe()}{HintOf(report)}", location.Model) { Report = report };
        }
        catch
        {
            contents.Dispose();
            throw;
        }
    }

    /// <summary>Looks at a checkpoint, at one file of weights or at a shard index, without asking that it be sound.</summary>
    /// <param name="path">A file, or a folder: a checkpoint's, or any that holds safetensors files.</param>
    /// <param name="framePainterFolder">The folder of FramePainter's own files, where <paramref name="path"/> is a Stable Video Diffusion folder.</param>
    /// <param name="attention">The attention kind to compare with.</param>
    /// <returns>What is there and what does not fit.</returns>
    /// <exception cref="CheckpointException">There is neither file nor folder of that name, or nothing in it can be looked at.</exception>
    public static CheckpointReport Inspect(string path, string? framePainterFolder = null, AttentionKind attention = AttentionKind.Matching)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        if (!Directory.Exists(path))
            return InspectFiles([path]);

        CheckpointLayout layout;
        try
        {
            layout = CheckpointLayout.Resolve(new(path, framePainterFolder, attention));
        }
        catch (CheckpointException e)
        {
            var files = DiskReads.List(path, f => Directory.EnumerateFiles(f, "*.safetensors", new EnumerationOptions { RecurseSubdirectories = true, MaxRecursionDepth = 2 })).Order(StringComparer.Ordinal).ToArray();
            if (files.Length == 0)
                throw;

            var report = InspectFiles(files);
            return report with { Problems = [e, .. report.Problems] };
        }

        using var contents = new CheckpointContents(attention);
        var problems = new List<CheckpointException>();
        contents.Load(layout, problems.Add);
        return contents.Compare() with { Problems = problems };
    }

    /// <inheritdoc/>
    public IWeightHandle Open(string name)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        return _bound.TryGetValue(name, out var place)
            ? new RenamedTensor(place.File.OpenTensor(place.Entry.Name), name)
            : throw new CheckpointException($"The checkpoint has no tensor '{name}'.", tensor: name);
    }

    /// <inheritdoc/>
    public TensorView Describe(string name) =>
        _bound.TryGetValue(name, out var place) ? new TensorView(name, place.Entry.Type, place.Entry.Shape, 0) : throw new CheckpointException($"The checkpoint has no tensor '{name}'.", tensor: name);

    /// <summary>Closes all files. Handles still open stay valid until they are disposed.</summary>
    public void Dispose()
    {
        _disposed = true;
        _contents.Dispose();
    }

    /// <summary>What a report as a whole says: where nothing but matching attention is missing, the U-Net is the one that FramePainter was trained from.</summary>
    static string HintOf(CheckpointReport report) =>
        report.Issues.All(i => i.Kind == CheckpointIssueKind.Missing && i.Tensor.Contains(".sparse_attention.", StringComparison.Ordinal))
            ? "\nNothing but matching attention is missing: this is Stable Video Diffusion's own U-Net. Put FramePainter's unet_diffusion_pytorch_model.safetensors in its place, or choose another kind of attention."
            : string.Empty;

    static CheckpointReport InspectFiles(IReadOnlyList<string> paths)
    {
        var (files, tensors, problems) = (new List<CheckpointFile>(), new List<CheckpointTensor>(), new List<CheckpointException>());
        foreach (var path in paths)
        {
            try
            {
                using var weights = WeightFiles.Open(path);
                foreach (var file in weights.Files)
                {
                    files.Add(new(string.Empty, file.Path, file.Bytes));
                    tensors.AddRange(file.Tensors.Values.Select(e => new CheckpointTensor(e.Name, e.Type, e.Shape, e.Bytes, file.Path)));
                }
            }
            catch (CheckpointException e) when (paths.Count > 1)
            {
                problems.Add(e);
            }
        }

        return new(files, tensors, [], problems);
    }

    /// <summary>A file's tensor under its prefixed name.</summary>
    sealed class RenamedTensor(IWeightHandle inner, string name) : IWeightHandle
    {
        public TensorView View => inner.View with { Name = name };

        public void Dispose() => inner.Dispose();
    }
}
