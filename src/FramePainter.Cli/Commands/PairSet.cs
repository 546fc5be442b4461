using FramePainter.Imaging;
using FramePainter.Toy;

namespace FramePainter.Cli.Commands;

/// <summary>One pair of a set to judge edits by: what an edit starts from, and what it should become.</summary>
/// <param name="Name">The pair's name.</param>
/// <param name="Input">Reads picture and signal.</param>
/// <param name="Target">Reads the target.</param>
sealed record EvalPair(string Name, Func<EditInput> Input, Func<PixelImage> Target);

/// <summary>
/// A folder of pairs: <c>NAME-source.png</c>, <c>NAME-sketch.png</c> or <c>NAME-coarse.png</c>, and <c>NAME-target.png</c>, or .jpg, .jpeg
/// and .webp; other files are passed over. The word <c>toy</c> stands for the pairs that come with the toy.
/// </summary>
static class PairSet
{
    public const string Toy = "toy";
    static readonly string[] s_endings = [".png", ".jpg", ".jpeg", ".webp"];

    /// <summary>Finds the pairs, in ordinal order of their names. Pictures are read when asked for.</summary>
    /// <exception cref="IOException">The folder is missing or holds no pair, or a pair lacks a part or has one twice.</exception>
    public static IReadOnlyList<EvalPair> Open(string place)
    {
        if (place == Toy)
            return [.. ToyModel.Samples.Select(s => new EvalPair(s.Name, () => EditInput.Load(s.Name, null, null, null), () => ImageFile.Load(s.Target.Span)))];
        if (!Directory.Exists(place))
            throw new DirectoryNotFoundException($"There is no folder '{place}' of pairs; write '{Toy}' for the toy's own.");

        var files = Directory.GetFiles(place)
            .Where(f => s_endings.Contains(Path.GetExtension(f), StringComparer.OrdinalIgnoreCase))
            .ToLookup(f => Path.GetFileNameWithoutExtension(f), StringComparer.Ordinal);
        const string Source = "-source";
        string[] names =
        [
            .. files.Select(f => f.Key).Where(k => k.EndsWith(Source, StringComparison.Ordinal)).Select(k => k[..^Source.Length]).Order(StringComparer.Ordinal),
        ];
        return names.Length > 0
            ? [.. names.Select(n => Pair(place, n, files))]
            : throw new FileNotFoundException($"The folder '{place}' holds no pair: NAME-source.png, NAME-sketch.png (or NAME-coarse.png) and NAME-target.png are one.");
    }

    static EvalPair Pair(string folder, string name, ILookup<string, string> files)
    {
        var source = One("source") ?? throw Lacks("source");
        var target = One("target") ?? throw Lacks("target");
        var (sketch, coarse) = (One("sketch"), One("coarse"));
        if (sketch is null == coarse is null)
            throw new FileNotFoundException($"Pair '{name}' in '{folder}' needs one signal: '{name}-sketch.png' or '{name}-coarse.png'.");

        return new EvalPair(name, () => EditInput.Load(null, source, sketch, coarse), () => ImageFile.Load(target));

        string? One(string part)
        {
            var found = files[$"{name}-{part}"].ToArray();
            return found.Length <= 1
                ? found.FirstOrDefault()
                : throw new IOException($"Pair '{name}' in '{folder}' has its {part} {found.Length} times: {string.Join(", ", found.Select(Path.GetFileName).Order(StringComparer.Ordinal))}.");
        }

        FileNotFoundException Lacks(string part) => new($"Pair '{name}' in '{folder}' lacks '{name}-{part}.png'.");
    }
}
