using FramePainter.Fuzz.Engine;
using FramePainter.Weights.Safetensors;

namespace FramePainter.Fuzz.Targets;

/// <summary>A whole safetensors file: opened, and every tensor of it read to the end.</summary>
internal sealed class SafetensorsFileTarget : IFuzzTarget, IDisposable
{
    readonly ScratchFile _file = new("model.safetensors");

    public string Name => "safetensors-file";

    public IEnumerable<byte[]> Seeds =>
    [
        [2, 0, 0, 0, 0, 0, 0, 0, .. "{}"u8],
        File("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}"""u8, 8),
        File("""{"a":{"dtype":"U8","shape":[3],"data_offsets":[0,3]},"b":{"dtype":"BF16","shape":[1,1],"data_offsets":[3,5]}} """u8, 5),
        [.. "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 10\n"u8],
        [.. "PK\u0003\u0004archive/data.pkl"u8],
        [.. "<!DOCTYPE html><html>"u8],
        [0x80, 2, .. "}q\0"u8],
    ];

    public IReadOnlyList<string> Scope { get; } = ["FramePainter.Weights.Safetensors.SafetensorsFile", "Safetensors.SafetensorsHeader", "Safetensors.SafetensorsTypes", "Safetensors.ForeignFormats", "Safetensors.LoadedTensor"];

    public IReadOnlyList<string> Words { get; } = new SafetensorsHeaderTarget().Words;

    public void Run(ReadOnlySpan<byte> input)
    {
        _file.Write(input);
        using var file = SafetensorsFile.Open(_file.Path);
        foreach (var name in file.Tensors.Keys)
        {
            using var tensor = file.OpenTensor(name);
            var view = tensor.View;
            unsafe
            {
                var sum = 0;
                foreach (var b in new ReadOnlySpan<byte>((void*)view.Address, checked((int)view.Bytes)))
                {
                    sum += b;
                }

                GC.KeepAlive(sum);
            }
        }
    }

    public void Dispose() => _file.Dispose();

    static byte[] File(ReadOnlySpan<byte> header, int bytes) => [.. BitConverter.GetBytes((long)header.Length), .. header, .. new byte[bytes]];
}
