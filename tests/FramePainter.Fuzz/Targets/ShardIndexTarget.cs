using FramePainter.Fuzz.Engine;
using FramePainter.Weights.Safetensors;

namespace FramePainter.Fuzz.Targets;

/// <summary>The index of a sharded model.</summary>
internal sealed class ShardIndexTarget : IFuzzTarget, IDisposable
{
    readonly ScratchFile _file = new("model.safetensors.index.json");

    public string Name => "shard-index";

    public IEnumerable<byte[]> Seeds =>
    [
        [.. "{}"u8],
        [.. """{"metadata":{"total_size":12},"weight_map":{"a":"model-00001-of-00002.safetensors","b":"model-00002-of-00002.safetensors"}}"""u8],
    ];

    public IReadOnlyList<string> Scope { get; } = ["Safetensors.ShardIndex"];

    public IReadOnlyList<string> Words { get; } = ["\"metadata\":", "\"total_size\":", "\"weight_map\":", "null", "[]", "{}", "..", "/", "\\\\", "\\u0000", "1e400", "-1", "\"", ":", ",", "{", "}"];

    public void Run(ReadOnlySpan<byte> input)
    {
        _file.Write(input);
        foreach (var shard in ShardIndex.Read(_file.Path).WeightMap.Values)
        {
            if (Path.GetFileName(shard) != shard || shard is "" or "." or "..")
            {
                throw new InvalidDataException($"The shard '{shard}' leaves the folder.");
            }
        }
    }

    public void Dispose() => _file.Dispose();
}
