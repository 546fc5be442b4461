using System.Text;
using FramePainter.Fuzz.Engine;

namespace FramePainter.Fuzz.Targets;

/// <summary>An edit's metadata as it stands in a picture. What was read is written and read again: both must say the same.</summary>
internal sealed class MetadataTarget : IFuzzTarget
{
    public string Name => "metadata";

    public IEnumerable<byte[]> Seeds =>
    [
        Encoding.UTF8.GetBytes(new EditMetadata
        {
            Version = "0.1.0", Options = new EditOptions { Size = (64, 128), Steps = 7 }, Attention = AttentionKind.Matching, Width = 64, Height = 128, Device = "cpu", Signal = "sketch",
            Points = [new DragPoint(new(1, 2), new(3.5f, 4))], ModelHashes = new Dictionary<string, string> { ["unet"] = "00ff" },
        }.ToJson()),
    ];

    public IReadOnlyList<string> Scope { get; } = ["FramePainter.EditMetadataJson"];

    public IReadOnlyList<string> Words { get; } = ["null", "true", "-1", "1e39", "0.5", "[]", "{}", "\"Stretch\"", "\"Matching\"", "\"points\":", "\"models\":", "\"size\":", "[[1,2,3,4]]", "99999999999", ",", ":", "\""];

    public void Run(ReadOnlySpan<byte> input)
    {
        var metadata = EditMetadata.FromJson(Encoding.UTF8.GetString(input));
        var text = metadata.ToJson();
        if (EditMetadata.FromJson(text).ToJson() != text)
        {
            throw new InvalidDataException("What was written is read as something else.");
        }
    }
}
