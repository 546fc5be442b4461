using System.Text.Json;
using FramePainter.Tensors;
using FramePainter.Weights.Safetensors;

namespace FramePainter.Goldens;

/// <summary>One folder with a case.json, and the tensors beside it.</summary>
internal sealed class GoldenCase
{
    readonly string _root;

    GoldenCase(string root, string folder)
    {
        _root = root;
        Name = Path.GetFileName(folder);
        using var document = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(folder, "case.json")));
        var json = document.RootElement.Clone();
        if (json.GetProperty("format").GetInt32() != 1)
        {
            throw new NotSupportedException($"Case '{Name}' has format {json.GetProperty("format")}; this runner reads format 1.");
        }

        Kind = json.GetProperty("kind").GetString()!;
        Args = json.GetProperty("args");
        Tolerance = json.GetProperty("tolerance");
        Model = json.TryGetProperty("model", out var model) ? model.GetString() : null;
        var inputs = Path.Combine(folder, "inputs.safetensors");
        Inputs = File.Exists(inputs) ? Read(inputs) : [];
        Outputs = Read(Path.Combine(folder, "outputs.safetensors"));
    }

    public string Name { get; }

    public string Kind { get; }

    public JsonElement Args { get; }

    public JsonElement Tolerance { get; }

    public Dictionary<string, GoldenTensor> Inputs { get; }

    /// <summary>What the original gave.</summary>
    public Dictionary<string, GoldenTensor> Outputs { get; }

    string? Model { get; }

    /// <summary>The folder of the case's model, with <c>svd/</c> and <c>framepainter/</c>.</summary>
    public string ModelFolder => Path.Combine(_root, Model ?? throw new InvalidDataException($"Case '{Name}' of kind '{Kind}' names no model."));

    /// <summary>Names of all cases of a folder, in order.</summary>
    public static IReadOnlyList<string> Names(string root) =>
        [.. Directory.EnumerateDirectories(root).Where(f => File.Exists(Path.Combine(f, "case.json"))).Select(f => Path.GetFileName(f)!).Order(StringComparer.Ordinal)];

    public static GoldenCase Open(string root, string name) => new(root, Path.Combine(root, name));

    /// <summary>The folder of cases: the environment variable FRAMEPAINTER_GOLDENS, or the repository's.</summary>
    public static string DefaultRoot()
    {
        if (Environment.GetEnvironmentVariable("FRAMEPAINTER_GOLDENS") is { Length: > 0 } named)
        {
            return named;
        }

        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "FramePainter.Core.sln")))
        {
            folder = folder.Parent;
        }

        return Path.Combine(folder?.FullName ?? throw new InvalidOperationException("Name a folder of goldens by FRAMEPAINTER_GOLDENS; the repository is not around."), "tests", "goldens");
    }

    static Dictionary<string, GoldenTensor> Read(string path)
    {
        using var file = SafetensorsFile.Open(path);
        var tensors = new Dictionary<string, GoldenTensor>(StringComparer.Ordinal);
        foreach (var entry in file.Tensors.Values)
        {
            using var handle = file.OpenTensor(entry.Name);
            tensors.Add(entry.Name, new GoldenTensor(entry.Shape.Extents.ToArray(), Widen(handle.View)));
        }

        return tensors;
    }

    static unsafe double[] Widen(TensorView view)
    {
        var count = checked((int)view.Shape.Count);
        return view.Type switch
        {
            DType.U8 => [.. new ReadOnlySpan<byte>((void*)view.Address, count).ToArray().Select(v => (double)v)],
            DType.F64 => new ReadOnlySpan<double>((void*)view.Address, count).ToArray(),
            _ => [.. view.ToArray().Select(v => (double)v)],
        };
    }
}
