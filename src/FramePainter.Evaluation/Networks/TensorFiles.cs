using FramePainter.Tensors;
using FramePainter.Weights.Safetensors;

namespace FramePainter.Evaluation.Networks;

/// <summary>Safetensors files read as one set of tensors.</summary>
sealed class TensorFiles : IDisposable
{
    readonly List<SafetensorsFile> _files = [];

    /// <summary>Opens the files.</summary>
    /// <exception cref="CheckpointException">One is missing or malformed, or two hold a tensor of one name.</exception>
    public TensorFiles(params ReadOnlySpan<string> paths)
    {
        if (paths.IsEmpty)
        {
            throw new ArgumentException("Name at least one file of weights.", nameof(paths));
        }

        try
        {
            var holders = new Dictionary<string, string>(StringComparer.Ordinal);
            foreach (var path in paths)
            {
                var file = SafetensorsFile.Open(path);
                _files.Add(file);
                foreach (var name in file.Tensors.Keys)
                {
                    if (!holders.TryAdd(name, path))
                    {
                        throw new CheckpointException($"Both '{holders[name]}' and '{path}' hold tensor '{name}'; give files that do not overlap.", path, name);
                    }
                }
            }
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>A tensor of this very shape, widened to float.</summary>
    /// <exception cref="CheckpointException">There is none, or it has another shape or a type that is no float.</exception>
    public float[] Read(string name, params ReadOnlySpan<long> extents)
    {
        var shape = new Shape(extents);
        var file = _files.Find(f => f.Tensors.ContainsKey(name))
            ?? throw new CheckpointException(
                $"Tensor '{name}' {shape} is missing from {string.Join(" and ", _files.Select(f => $"'{f.Path}'"))}; give the file that holds it too.", _files[0].Path, name);
        var entry = file.Tensors[name];
        if (entry.Shape != shape || !entry.Type.IsWeight())
        {
            throw new CheckpointException(
                $"Tensor '{name}' in '{file.Path}' is {entry.Type} {entry.Shape}; {shape} of F32, F16 or BF16 is needed: these are weights of another network.", file.Path, name);
        }

        using var handle = file.OpenTensor(name);
        return handle.View.ToArray();
    }

    public void Dispose()
    {
        foreach (var file in _files)
        {
            file.Dispose();
        }
    }
}
