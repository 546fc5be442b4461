using FramePainter.Fuzz.Engine;
using FramePainter.Weights;

namespace FramePainter.Fuzz.Targets;

/// <summary>A checkpoint as a whole: one of its files, named by the first byte, is the input; the others are the toy model's.</summary>
internal sealed class CheckpointTarget : IFuzzTarget, IDisposable
{
    const int HeaderBytes = 1 << 12;
    static readonly Toy.ToyFile[] s_files = [.. Toy.ToyFile.All.OrderBy(f => f.Path, StringComparer.Ordinal)];
    readonly ScratchFile _scratch = new("model");

    public CheckpointTarget()
    {
        foreach (var file in s_files)
        {
            Write(file, file.Read());
        }
    }

    public string Name => "checkpoint";

    public IEnumerable<byte[]> Seeds => s_files.Select((file, i) => (byte[])[(byte)i, .. file.Read().Take(HeaderBytes)]);

    public IReadOnlyList<string> Scope { get; } = ["FramePainter.Weights."];

    public IReadOnlyList<string> Words { get; } = [.. new ConfigTarget().Words, .. new SafetensorsHeaderTarget().Words];

    public void Run(ReadOnlySpan<byte> input)
    {
        if (input.Length == 0)
        {
            return;
        }

        // The file itself is put aside: writing its megabytes anew would take longer than all else.
        var file = s_files[input[0] % s_files.Length];
        var (path, aside) = (file.Below(_scratch.Path), _scratch.Path + ".aside");
        File.Move(path, aside);
        try
        {
            Write(file, input[1..]);
            Checkpoint.Open(_scratch.Path).Dispose();
        }
        finally
        {
            File.Move(aside, path, overwrite: true);
        }
    }

    public void Dispose() => _scratch.Dispose();

    void Write(Toy.ToyFile file, ReadOnlySpan<byte> bytes)
    {
        var path = file.Below(_scratch.Path);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllBytes(path, bytes);
    }
}
