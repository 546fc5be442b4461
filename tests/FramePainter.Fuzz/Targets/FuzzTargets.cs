using FramePainter.Fuzz.Engine;

namespace FramePainter.Fuzz.Targets;

/// <summary>All targets by name.</summary>
internal static class FuzzTargets
{
    public static IReadOnlyDictionary<string, Func<IFuzzTarget>> All { get; } = new Dictionary<string, Func<IFuzzTarget>>(StringComparer.Ordinal)
    {
        ["safetensors-header"] = () => new SafetensorsHeaderTarget(),
        ["safetensors-file"] = () => new SafetensorsFileTarget(),
        ["shard-index"] = () => new ShardIndexTarget(),
        ["config"] = () => new ConfigTarget(),
        ["checkpoint"] = () => new CheckpointTarget(),
        ["metadata"] = () => new MetadataTarget(),
        ["picture"] = () => new PictureTarget(),
        ["signal"] = () => new SignalTarget(),
        ["replay"] = () => new ReplayTarget(),
        ["native"] = () => new NativeTarget(),
        ["studio"] = () => new StudioTarget(),
    };
}
