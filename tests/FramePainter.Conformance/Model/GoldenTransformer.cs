using System.Text.Json;
using FramePainter.Graphs;
using FramePainter.Model;
using FramePainter.Weights;
using FramePainter.Weights.Safetensors;

namespace FramePainter.Conformance;

/// <summary>The golden transformer and matching-block cases with the small model behind them: inputs on which model code is tried with the oracle.</summary>
internal sealed class GoldenTransformer : IDisposable
{
    readonly string _folder;

    public GoldenTransformer(string name)
    {
        _folder = Path.Combine(Goldens, name);
        var args = JsonDocument.Parse(File.ReadAllText(Path.Combine(_folder, "case.json"))).RootElement.GetProperty("args");
        Block = new Module(args.GetProperty("prefix").GetString()!);
        Checkpoint = Weights.Checkpoint.Open(Path.Combine(Goldens, "models", "tiny"));
        var parts = Block.Path.Split('.');
        var levels = Checkpoint.UNet.Levels;
        Level = parts[1] switch { "down_blocks" => Number(parts[2]), "up_blocks" => levels - 1 - Number(parts[2]), _ => levels - 1 };
    }

    /// <summary>Its place in the model.</summary>
    public Module Block { get; }

    /// <summary>Its level in the U-Net.</summary>
    public int Level { get; }

    public Checkpoint Checkpoint { get; }

    public int Heads => Checkpoint.UNet.AttentionHeads[Level];

    static string Goldens { get; } = Path.Combine(Root(), "tests", "goldens");

    public (long[] Shape, double[] Values) Input(string name) => Read("inputs.safetensors", name);

    public (long[] Shape, double[] Values) Output(string name) => Read("outputs.safetensors", name);

    /// <summary>Names and cases of a kind, for theories.</summary>
    public static TheoryData<string> OfKind(string kind) => [.. Directory.GetDirectories(Goldens, $"tiny-{kind}-*").Select(f => Path.GetFileName(f)!).Order(StringComparer.Ordinal)];

    /// <summary>Moves channels last: [N, C, H, W] to [N, H, W, C].</summary>
    public static (long[] Shape, double[] Values) ChannelsLast((long[] Shape, double[] Values) tensor)
    {
        var (n, c, positions) = ((int)tensor.Shape[0], (int)tensor.Shape[1], (int)(tensor.Shape[2] * tensor.Shape[3]));
        var moved = new double[tensor.Values.Length];
        for (var i = 0; i < moved.Length; i++)
        {
            var (image, position, channel) = (i / c / positions, i / c % positions, i % c);
            moved[i] = tensor.Values[(((image * c) + channel) * positions) + position];
        }

        return ([n, tensor.Shape[2], tensor.Shape[3], c], moved);
    }

    /// <summary>Runs a graph with the oracle; inputs and outputs by name.</summary>
    public Dictionary<string, double[]> Run(GraphBuilder builder, params (string Name, double[] Values)[] inputs)
    {
        var graph = builder.Build("test");
        var given = inputs.ToDictionary(i => graph.Input(i.Name), i => i.Values);
        var values = Oracle.Run(graph, given, Checkpoint);
        return graph.Outputs.ToDictionary(v => v.Name, v => values[v]);
    }

    public void Dispose() => Checkpoint.Dispose();

    (long[] Shape, double[] Values) Read(string file, string name)
    {
        using var opened = SafetensorsFile.Open(Path.Combine(_folder, file));
        using var tensor = opened.OpenTensor(name);
        return (tensor.View.Shape.Extents.ToArray(), Array.ConvertAll(tensor.View.ToArray(), x => (double)x));
    }

    static int Number(string text) => int.Parse(text, System.Globalization.CultureInfo.InvariantCulture);

    static string Root()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "FramePainter.Core.sln")))
        {
            folder = folder.Parent;
        }

        return folder?.FullName ?? throw new InvalidOperationException("These tests run from a build inside the repository.");
    }
}
