using FramePainter.Fuzz.Engine;
using FramePainter.Tensors;
using FramePainter.Weights.Safetensors;

namespace FramePainter.Fuzz.Targets;

/// <summary>The header of a safetensors file, without a file around it: the first two bytes are what its size exceeds the header by.</summary>
internal sealed class SafetensorsHeaderTarget : IFuzzTarget
{
    public string Name => "safetensors-header";

    public IEnumerable<byte[]> Seeds =>
    [
        [4, 0, .. "{}"u8],
        [24, 0, .. """{"a":{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]}}"""u8],
        [6, 0, .. """{"__metadata__":{"format":"pt"},"b":{"dtype":"F16","shape":[],"data_offsets":[0,2]},"c":{"dtype":"BF16","shape":[2],"data_offsets":[2,6]}}   """u8],
    ];

    public IReadOnlyList<string> Scope { get; } = ["Safetensors.SafetensorsHeader", "Safetensors.SafetensorsTypes"];

    public IReadOnlyList<string> Words { get; } =
        ["\"__metadata__\"", "\"dtype\":", "\"shape\":", "\"data_offsets\":", "\"F32\"", "\"F16\"", "\"BF16\"", "\"I64\"", "\"U8\"", "[0,", "null", "true", "1e9", "-1", "{", "}", "[", "]", ",", ":", "\"", "\\u0000", "\\", " "];

    public void Run(ReadOnlySpan<byte> input)
    {
        if (input.Length < 2)
        {
            return;
        }

        var json = input[2..];
        long bytes = SafetensorsHeader.PrefixBytes + json.Length + input[0] + (input[1] << 8);
        var contents = SafetensorsHeader.Parse(json, bytes, "file");
        foreach (var (name, entry) in contents.Tensors)
        {
            if (entry.Offset < SafetensorsHeader.PrefixBytes + json.Length || entry.Offset + entry.Bytes > bytes || entry.Shape.Count * entry.Type.Size() != entry.Bytes)
            {
                throw new InvalidDataException($"Tensor '{name}' was let through with {entry.Shape} at {entry.Offset}, {entry.Bytes} bytes of {bytes}.");
            }
        }
    }
}
