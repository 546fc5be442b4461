using System.Buffers.Binary;
using System.Text;
using System.Text.Json;
using FramePainter.Tensors;
using FramePainter.Weights.Safetensors;

namespace FramePainter.Core.Tests.Weights;

/// <summary>A folder of its own for one test, deleted at its end.</summary>
sealed class TestFolder : IDisposable
{
    public string Root { get; } = Directory.CreateTempSubdirectory("framepainter-").FullName;

    public string this[string name] => Path.Combine(Root, name);

    public string Write(string name, ReadOnlySpan<byte> bytes)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(this[name])!);
        File.WriteAllBytes(this[name], bytes);
        return this[name];
    }

    public string Write(string name, string text) => Write(name, Encoding.UTF8.GetBytes(text));

    /// <summary>A safetensors file from a header's text and a number of data bytes that count up.</summary>
    public string WriteSafetensors(string name, string header, int dataBytes) => WriteSafetensors(name, Encoding.UTF8.GetBytes(header), dataBytes);

    public string WriteSafetensors(string name, ReadOnlySpan<byte> header, int dataBytes)
    {
        var bytes = new byte[8 + header.Length + dataBytes];
        BinaryPrimitives.WriteInt64LittleEndian(bytes, header.Length);
        header.CopyTo(bytes.AsSpan(8));
        for (var i = 0; i < dataBytes; i++)
        {
            bytes[8 + header.Length + i] = (byte)i;
        }

        return Write(name, bytes);
    }

    /// <summary>A file with a true header whose data is one hole: full size, next to no disk.</summary>
    public string WriteHollow(string name, IEnumerable<(string Name, Shape Shape)> tensors, DType type = DType.F16)
    {
        var header = new StringBuilder("{");
        long offset = 0;
        foreach (var (tensor, shape) in tensors)
        {
            var end = offset + (shape.Count * type.Size());
            header.Append(header.Length > 1 ? "," : string.Empty)
                .Append($"{JsonSerializer.Serialize(tensor)}:{{\"dtype\":\"{type}\",\"shape\":{shape},\"data_offsets\":[{offset},{end}]}}");
            offset = end;
        }

        var json = Encoding.UTF8.GetBytes(header.Append('}').ToString());
        Directory.CreateDirectory(Path.GetDirectoryName(this[name])!);
        using var stream = File.Create(this[name]);
        Span<byte> length = stackalloc byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(length, json.Length);
        stream.Write(length);
        stream.Write(json);
        stream.SetLength(8 + json.Length + offset);
        return this[name];
    }

    public string WriteFloats(string name, params (string Name, Shape Shape)[] tensors)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(this[name])!);
        SafetensorsWriter.Write(this[name], tensors.ToDictionary(t => t.Name, t => (t.Shape, new float[t.Shape.Count])));
        return this[name];
    }

    public void CopyFrom(string source)
    {
        foreach (var file in Directory.EnumerateFiles(source, "*", SearchOption.AllDirectories))
        {
            var target = this[Path.GetRelativePath(source, file)];
            Directory.CreateDirectory(Path.GetDirectoryName(target)!);
            File.Copy(file, target);
        }
    }

    public void Dispose() => Directory.Delete(Root, recursive: true);
}

/// <summary>Data that lies beside the tests.</summary>
static class TestData
{
    public static string Manifest { get; } = Path.Combine(AppContext.BaseDirectory, "manifest");

    public static string TinyModel { get; } = Path.Combine(AppContext.BaseDirectory, "models", "tiny");

    /// <summary>The weights of the real checkpoint: prefix, path of the file without its ending, number of tensors.</summary>
    public static IReadOnlyList<(string Prefix, string Path, int Count)> Parts { get; } =
    [
        ("unet.", "framepainter/unet_diffusion_pytorch_model", 1508),
        ("control.", "framepainter/encoder_diffusion_pytorch_model", 52),
        ("vae.", "svd/vae/diffusion_pytorch_model", 374),
        ("clip.", "svd/image_encoder/model", 520),
    ];

    public static (string Name, Shape Shape)[] ReadManifest(string path)
    {
        using var json = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(Manifest, path + ".tensors.json")));
        return [.. json.RootElement.EnumerateObject().Select(t => (t.Name, new Shape([.. t.Value.EnumerateArray().Select(e => e.GetInt64())])))];
    }
}
