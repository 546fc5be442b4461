using FramePainter.Fuzz.Engine;
using FramePainter.Weights;

namespace FramePainter.Fuzz.Targets;

/// <summary>Every config of a checkpoint; the first byte says which.</summary>
internal sealed class ConfigTarget : IFuzzTarget, IDisposable
{
    static readonly Action<string>[] s_readers =
    [
        f => UNetConfig.Load(f), f => VaeConfig.Load(f), f => ClipVisionConfig.Load(f), f => SchedulerConfig.Load(f), f => FeatureExtractorConfig.Load(f),
    ];

    static readonly string[] s_names = ["unet/config.json", "vae/config.json", "image_encoder/config.json", "scheduler/scheduler_config.json", "feature_extractor/preprocessor_config.json"];

    readonly ScratchFile _file = new("config.json");

    public string Name => "config";

    public IEnumerable<byte[]> Seeds => s_names.Select((name, i) => (byte[])[(byte)i, .. Toy.ToyFile.All.First(f => f.Path.EndsWith(name, StringComparison.Ordinal)).Read()]);

    public IReadOnlyList<string> Scope { get; } = ["Weights.ConfigReader", "Weights.UNetConfig", "Weights.VaeConfig", "Weights.ClipVisionConfig", "Weights.SchedulerConfig", "Weights.FeatureExtractorConfig"];

    public IReadOnlyList<string> Words { get; } =
        ["null", "true", "false", "[]", "{}", "0", "-1", "1e30", "0.5", "NaN", "\"silu\"", "\"quick_gelu\"", "\"v_prediction\"", "[1,2]", "\"\"", ",", ":", "block_out_channels", "num_attention_heads", "layers_per_block", "sigma_min", "image_size", "patch_size", "norm_num_groups"];

    public void Run(ReadOnlySpan<byte> input)
    {
        if (input.Length > 0)
        {
            _file.Write(input[1..]);
            s_readers[input[0] % s_readers.Length](_file.Path);
        }
    }

    public void Dispose() => _file.Dispose();
}
