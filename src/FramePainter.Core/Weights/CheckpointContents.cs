using FramePainter.Tensors;
using FramePainter.Weights.Safetensors;

namespace FramePainter.Weights;

/// <summary>Configs and weights of a checkpoint as they are read, and their comparison. What could not be read stays null.</summary>
sealed class CheckpointContents(AttentionKind attention) : IDisposable
{
    readonly Dictionary<string, WeightFiles> _weights = new(StringComparer.Ordinal);

    public AttentionKind Attention => attention;

    public UNetConfig? UNet { get; private set; }

    public VaeConfig? Vae { get; private set; }

    public ClipVisionConfig? Clip { get; private set; }

    public ControlEncoderConfig? Control { get; private set; }

    public SchedulerConfig? Scheduler { get; private set; }

    public FeatureExtractorConfig? FeatureExtractor { get; private set; }

    /// <summary>The place of every tensor that fits, by prefixed name.</summary>
    public Dictionary<string, (SafetensorsFile File, SafetensorsEntry Entry)> Bound { get; } = new(StringComparer.Ordinal);

    /// <summary>Reads configs and headers.</summary>
    /// <param name="layout">Where they lie.</param>
    /// <param name="fail">Is told of each error; loading goes on when it returns.</param>
    public void Load(CheckpointLayout layout, Action<CheckpointException> fail)
    {
        // Many copies lack model_index.json, and nothing is needed from it; one that is there tells another pipeline.
        if (File.Exists(layout.ModelIndexFile))
            Try(() => { ConfigReader.Open(layout.ModelIndexFile).ExpectModel("_class_name", "StableVideoDiffusionPipeline"); });

        Try(() => UNet = UNetConfig.Load(layout.UNetConfigFile));
        Try(() => Vae = VaeConfig.Load(layout.VaeConfigFile));
        Try(() => Clip = ClipVisionConfig.Load(layout.ClipConfigFile));
        Try(() => Scheduler = SchedulerConfig.Load(layout.SchedulerConfigFile));
        Try(() => FeatureExtractor = FeatureExtractorConfig.Load(layout.FeatureExtractorConfigFile));
        Try(() => CheckContext(layout));
        foreach (var (prefix, find) in layout.Parts)
        {
            Try(() => _weights.Add(prefix, WeightFiles.Open(find())));
        }

        void Try(Action read)
        {
            try
            {
                read();
            }
            catch (CheckpointException e)
            {
                fail(e);
            }
        }
    }

    /// <summary>Compares the tensors that are there with those that the configs ask for, and binds what fits.</summary>
    public CheckpointReport Compare()
    {
        var issues = new List<CheckpointIssue>();
        if (UNet is not null)
            Compare(TensorNames.UNetPrefix, TensorNames.UNet(UNet, attention), issues);

        if (UNet is not null && _weights.TryGetValue(TensorNames.ControlPrefix, out var control))
        {
            Control = ControlEncoderConfig.Derive(name => control.Find(name)?.Entry.Shape, control.Path, UNet.BlockOutChannels[0], issues);
            if (Control is not null)
                Compare(TensorNames.ControlPrefix, TensorNames.Control(Control), issues);
        }

        if (Vae is not null)
            Compare(TensorNames.VaePrefix, TensorNames.Vae(Vae), issues);

        if (Clip is not null)
            Compare(TensorNames.ClipPrefix, TensorNames.Clip(Clip), issues);

        var (files, tensors) = (new List<CheckpointFile>(), new List<CheckpointTensor>());
        foreach (var (prefix, weights) in _weights)
        {
            foreach (var file in weights.Files)
            {
                files.Add(new(prefix.TrimEnd('.'), file.Path, file.Bytes));
                tensors.AddRange(file.Tensors.Values.Select(e => new CheckpointTensor(prefix + e.Name, e.Type, e.Shape, e.Bytes, file.Path)));
            }
        }

        return new(files, tensors, issues, []);
    }

    public void Dispose()
    {
        foreach (var weights in _weights.Values)
        {
            weights.Dispose();
        }
    }

    void Compare(string prefix, IReadOnlyList<ExpectedTensor> expected, List<CheckpointIssue> issues)
    {
        if (!_weights.TryGetValue(prefix, out var weights))
            return;

        var known = new HashSet<string>(expected.Count, StringComparer.Ordinal);
        foreach (var tensor in expected)
        {
            known.Add(tensor.Name);
            if (weights.Find(tensor.Name[prefix.Length..]) is not { } place)
            {
                if (!tensor.Optional)
                    issues.Add(new(CheckpointIssueKind.Missing, tensor.Name, weights.Path, $"expected {tensor.Shape}"));
            }
            else if (place.Entry.Shape != tensor.Shape)
            {
                issues.Add(new(CheckpointIssueKind.Misshaped, tensor.Name, place.File.Path, $"expected {tensor.Shape}, found {place.Entry.Shape}"));
            }
            else if (!place.Entry.Type.IsWeight())
            {
                issues.Add(new(CheckpointIssueKind.UnsupportedType, tensor.Name, place.File.Path, $"expected F32, F16 or BF16, found {SafetensorsTypes.Label(place.Entry.Type)}"));
            }
            else
            {
                Bound.Add(tensor.Name, place);
            }
        }

        foreach (var name in weights.Names)
        {
            if (!known.Contains(prefix + name) && !TensorNames.Ignored.Contains(prefix + name))
                issues.Add(new(CheckpointIssueKind.Unused, prefix + name, weights.Find(name)!.Value.File.Path, string.Empty));
        }

        foreach (var (file, name) in weights.Unlisted)
        {
            issues.Add(new(CheckpointIssueKind.Unused, prefix + name, file.Path, "its shard index does not list it there"));
        }
    }

    void CheckContext(CheckpointLayout layout)
    {
        if (UNet is null || Clip is null)
            return;

        if (UNet.CrossAttentionWidths.Any(w => w != Clip.ProjectionSize))
        {
            throw new CheckpointException(
                $"'{layout.UNetConfigFile}': cross_attention_dim is {string.Join(", ", UNet.CrossAttentionWidths.Distinct())}; supported: projection_dim of '{layout.ClipConfigFile}', {Clip.ProjectionSize}, whose row is the context.",
                layout.UNetConfigFile);
        }
    }
}
