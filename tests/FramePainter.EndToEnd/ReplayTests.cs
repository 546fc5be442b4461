using FramePainter.Imaging;
using FramePainter.Toy;

namespace FramePainter.EndToEnd;

public sealed class ReplayTests : IDisposable
{
    readonly string _folder = Directory.CreateTempSubdirectory("framepainter-replay-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void A_replay_gives_the_same_file_and_without_metadata_there_is_no_trace()
    {
        File.WriteAllBytes(In("source.png"), ToyModel.Samples[3].Source.ToArray());
        CommandLine.Run("edit", "--sample", "3", "--steps", "2", "--guidance", "2.5", "--out", In("a.png")).AssertExit(0);
        var outcome = CommandLine.Run("replay", In("a.png"), "--image", In("source.png"), "--out", In("b.png"));
        outcome.AssertExit(0);
        Assert.DoesNotContain("warning", outcome.Error, StringComparison.Ordinal);
        Assert.Equal(File.ReadAllBytes(In("a.png")), File.ReadAllBytes(In("b.png")));

        CommandLine.Run("replay", In("a.png"), "--image", In("source.png"), "--out", In("c.png"), "--no-metadata").AssertExit(0);
        ImageFile.Save(ImageFile.Load(In("a.png")), In("plain.png"));
        Assert.Equal(File.ReadAllBytes(In("plain.png")), File.ReadAllBytes(In("c.png")));
        CommandLine.Run("edit", "--sample", "3", "--steps", "2", "--guidance", "2.5", "--out", In("d.png"), "--no-metadata").AssertExit(0);
        Assert.Equal(File.ReadAllBytes(In("plain.png")), File.ReadAllBytes(In("d.png")));
        Refused("--no-metadata", In("d.png"), In("source.png"));

        File.WriteAllBytes(In("other.png"), ToyModel.Samples[4].Source.ToArray());
        Refused("another picture", In("a.png"), In("other.png"));
    }

    [Fact]
    public void Another_model_and_damaged_metadata_are_refused()
    {
        var source = ImageFile.Load(ToyModel.Samples[0].Source.Span).ToRgb();
        File.WriteAllBytes(In("source.png"), ToyModel.Samples[0].Source.ToArray());
        using var painter = Painter.Load(new PainterOptions { Model = ToyModel.Folder, HashModel = true });
        var result = painter.Edit(source, Signal.Sketch(source), new EditOptions { Steps = 1 });
        var hashes = result.Metadata.ModelHashes.ToDictionary();
        var file = hashes.Keys.Order(StringComparer.Ordinal).First();
        hashes[file] = new string('0', 64);
        Write("model.png", result, (result.Metadata with { ModelHashes = hashes }).ToJson());
        Refused(file, In("model.png"), In("source.png"));
        Write("damaged.png", result, result.Metadata.ToJson()[..^3]);
        Refused("no metadata of an edit", In("damaged.png"), In("source.png"));

        var elsewhere = painter.Replay(source, result.Metadata with { Device = "another" });
        Assert.Equal(result.Latents, elsewhere.Latents);
        Assert.Contains("another", Assert.Single(elsewhere.Warnings).Message, StringComparison.Ordinal);
        Assert.Throws<MetadataException>(() => painter.Replay(source, result.Metadata with { Record = null }));
        Assert.Throws<MetadataException>(() => painter.Replay(source, result.Metadata with { Attention = AttentionKind.Temporal }));
        Assert.Throws<MetadataException>(() => painter.Replay(source, result.Metadata with { Width = 65 }));
    }

    void Write(string name, EditResult result, string text) =>
        File.WriteAllBytes(In(name), PngText.Insert(Encode(result.Edited), EditFile.Keyword, text));

    static byte[] Encode(PixelImage image)
    {
        using var stream = new MemoryStream();
        ImageFile.Save(image, stream, ImageFormat.Png);
        return stream.ToArray();
    }

    void Refused(string named, string edit, string image)
    {
        var outcome = CommandLine.Run("replay", edit, "--image", image, "--out", In("refused.png"));
        outcome.AssertExit(1);
        Assert.Contains(named, outcome.Error, StringComparison.Ordinal);
        Assert.False(File.Exists(In("refused.png")));
    }

    string In(string name) => Path.Combine(_folder, name);
}
