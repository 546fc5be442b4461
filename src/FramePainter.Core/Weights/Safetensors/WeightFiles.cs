using FramePainter.Tensors;

namespace FramePainter.Weights.Safetensors;

/// <summary>The tensors of one network, from a single file or from the shards of an index.</summary>
sealed class WeightFiles : IDisposable
{
    readonly List<SafetensorsFile> _files = [];
    readonly Dictionary<string, SafetensorsFile> _holders = new(StringComparer.Ordinal);
    readonly List<(SafetensorsFile File, string Name)> _unlisted = [];

    WeightFiles(string path) => Path = path;

    /// <summary>The file or index as it was opened.</summary>
    public string Path { get; }

    /// <summary>The files, in the order of their names.</summary>
    public IReadOnlyList<SafetensorsFile> Files => _files;

    /// <summary>Names of all tensors that can be opened.</summary>
    public IReadOnlyCollection<string> Names => _holders.Keys;

    /// <summary>Tensors that lie in a shard though the index does not place them there.</summary>
    public IReadOnlyList<(SafetensorsFile File, string Name)> Unlisted => _unlisted;

    /// <summary>Opens a safetensors file, or a shard index with all its shards.</summary>
    /// <param name="path">The file; an index ends in <c>.json</c>.</param>
    /// <exception cref="CheckpointException">A file is missing or malformed, or a tensor does not lie in the shard that the index names.</exception>
    public static WeightFiles Open(string path)
    {
        var weights = new WeightFiles(path);
        try
        {
            if (path.EndsWith(".json", StringComparison.OrdinalIgnoreCase))
                weights.AddShards(ShardIndex.Read(path));
            else
                weights.AddFile(SafetensorsFile.Open(path));

            return weights;
        }
        catch
        {
            weights.Dispose();
            throw;
        }
    }

    /// <summary>The file that holds a tensor and its entry there; null when there is no such tensor.</summary>
    public (SafetensorsFile File, SafetensorsEntry Entry)? Find(string name) =>
        _holders.TryGetValue(name, out var file) ? (file, file.Tensors[name]) : null;

    /// <summary>Reads a tensor.</summary>
    /// <exception cref="CheckpointException">There is no such tensor, or it can no longer be read.</exception>
    public IWeightHandle OpenTensor(string name) => _holders.TryGetValue(name, out var file)
        ? file.OpenTensor(name)
        : throw new CheckpointException($"'{Path}' has no tensor '{name}'.", Path, name);

    public void Dispose()
    {
        foreach (var file in _files)
        {
            file.Dispose();
        }
    }

    void AddFile(SafetensorsFile file)
    {
        _files.Add(file);
        foreach (var name in file.Tensors.Keys)
        {
            _holders.Add(name, file);
        }
    }

    void AddShards(ShardIndex index)
    {
        var folder = System.IO.Path.GetDirectoryName(System.IO.Path.GetFullPath(index.File))!;
        var shards = index.WeightMap.Values.Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal).ToArray();
        var missing = shards.Where(s => !File.Exists(System.IO.Path.Combine(folder, s))).ToArray();
        if (missing.Length > 0)
        {
            var hint = DiskReads.List(folder, f => Directory.EnumerateFiles(f, "*.fp16.safetensors")).Length > 0 ? $" A half-precision file is there: it is taken with {nameof(PainterOptions)}.{nameof(PainterOptions.PreferFp16)} (--fp16)." : string.Empty;
            throw new CheckpointException($"The shard index '{index.File}' names {missing.Length} of {shards.Length} shards that are not beside it: {string.Join(", ", missing)}.{hint}", System.IO.Path.Combine(folder, missing[0]));
        }

        foreach (var shard in shards)
        {
            var file = SafetensorsFile.Open(System.IO.Path.Combine(folder, shard));
            _files.Add(file);
            var absent = index.WeightMap.Where(e => e.Value == shard && !file.Tensors.ContainsKey(e.Key)).Select(e => e.Key).ToArray();
            if (absent.Length > 0)
                throw new CheckpointException($"The shard index '{index.File}' places tensor '{absent[0]}'{(absent.Length > 1 ? $" and {absent.Length - 1:N0} more" : string.Empty)} in '{shard}', which does not hold it.", file.Path, absent[0]);

            foreach (var name in file.Tensors.Keys)
            {
                if (index.WeightMap.TryGetValue(name, out var place) && place == shard)
                    _holders.Add(name, file);
                else
                    _unlisted.Add((file, name));
            }
        }
    }
}
