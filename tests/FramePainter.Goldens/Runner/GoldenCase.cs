using System.Text.Json;
using FramePainter.Weights.Safetensors;

namespace FramePainter.Goldens;

/// <summary>One reference case: what goes in, what must come out, and how exactly.</summary>
internal sealed class GoldenCase
{
    readonly string _root;
    readonly string _folder;
    readonly JsonElement _json;

    GoldenCase(string root, string folder)
    {
        (_root, _folder) = (root, folder);
        using var file = JsonDocument.Parse(File.ReadAllText(Path.Combine(folder, "case.json")));
        _json = file.RootElement.Clone();
    }

    /// <summary>The folder's name.</summary>
    public string Name => Path.GetFileName(_folder);

    /// <summary>Which part it is about.</summary>
    public string Kind => _json.GetProperty("kind").GetString()!;

    /// <summary>The format's version.</summary>
    public int Format => _json.GetProperty("format").GetInt32();

    /// <summary>Scalars.</summary>
    public JsonElement Args => _json.GetProperty("args");

    /// <summary>How near the outputs must be.</summary>
    public JsonElement Tolerance => _json.GetProperty("tolerance");

    /// <summary>The folder of the model with <c>svd/</c> and <c>framepainter/</c> in it.</summary>
    public string Model => Path.Combine(_root, _json.GetProperty("model").GetString()!);

    /// <summary>What goes in.</summary>
    public IReadOnlyDictionary<string, GoldenTensor> Inputs => Read("inputs.safetensors");

    /// <summary>What must come out.</summary>
    public IReadOnlyDictionary<string, GoldenTensor> Outputs => Read("outputs.safetensors");

    /// <summary>All cases of a folder, in the order of their names. Folders without a case.json are no cases.</summary>
    public static IReadOnlyList<GoldenCase> Discover(string root) =>
    [
        .. Directory.GetDirectories(root).Order(StringComparer.Ordinal).Where(f => File.Exists(Path.Combine(f, "case.json"))).Select(f => new GoldenCase(root, f)),
    ];

    IReadOnlyDictionary<string, GoldenTensor> Read(string name)
    {
        var path = Path.Combine(_folder, name);
        if (!File.Exists(path))
        {
            return new Dictionary<string, GoldenTensor>();
        }

        using var file = SafetensorsFile.Open(path);
        return file.Tensors.Keys.ToDictionary(key => key, key =>
        {
            using var handle = file.OpenTensor(key);
            var bytes = new byte[handle.View.Bytes];
            System.Runtime.InteropServices.Marshal.Copy(handle.View.Address, bytes, 0, bytes.Length);
            return new GoldenTensor(handle.View.Type, handle.View.Shape, bytes);
        });
    }
}
