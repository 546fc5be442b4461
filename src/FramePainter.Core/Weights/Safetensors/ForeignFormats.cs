using System.Text;

namespace FramePainter.Weights.Safetensors;

/// <summary>Recognises what people commonly have in the place of a safetensors file, so that the error can say it.</summary>
static class ForeignFormats
{
    /// <summary>Bytes that <see cref="Describe"/> likes to see.</summary>
    public const int SampleBytes = 512;

    /// <summary>Says what the file is, or null when it looks like nothing known.</summary>
    /// <param name="start">The first bytes of the file.</param>
    public static string? Describe(ReadOnlySpan<byte> start)
    {
        if (start.StartsWith("version https://git-lfs"u8))
            return "It is a Git LFS pointer, a text of a few lines that stands for the weights: fetch the file itself (git lfs pull, or download it from the model's page).";

        var text = Encoding.Latin1.GetString(start).TrimStart('\u00EF', '\u00BB', '\u00BF', ' ', '\t', '\r', '\n');
        if (text.StartsWith("<!doctype", StringComparison.OrdinalIgnoreCase) || text.StartsWith("<html", StringComparison.OrdinalIgnoreCase) || text.StartsWith("<?xml", StringComparison.OrdinalIgnoreCase))
            return "It is a web page: the download answered with a page (often a sign-in or licence page) in place of the weights.";

        if (start.StartsWith("PK\u0003\u0004"u8))
            return "It is a zip archive, as PyTorch writes .bin, .ckpt and .pt files: convert it to safetensors; pickled weights are not read, since loading them can run code.";

        if (start.Length >= 2 && start[0] == 0x80 && start[1] is >= 2 and <= 5)
            return "It is a Python pickle, as older PyTorch writes .bin, .ckpt and .pt files: convert it to safetensors; pickled weights are not read, since loading them can run code.";

        if (start.StartsWith("GGUF"u8))
            return "It is a GGUF file; safetensors weights are needed.";

        if (start.Length >= 2 && start[0] == 0x1F && start[1] == 0x8B)
            return "It is a gzip archive: unpack it first.";

        if (start.Length >= 4 && start[0] == 0x89 && start[1..4].SequenceEqual("HDF"u8))
            return "It is an HDF5 file; safetensors weights are needed.";

        if (text.StartsWith('{'))
            return "It is a JSON text, perhaps a config or a shard index; the weights themselves are needed.";

        return null;
    }
}
