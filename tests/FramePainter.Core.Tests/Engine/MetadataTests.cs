using System.Security.Cryptography;
using FramePainter.Core.Tests.Support;
using FramePainter.Weights;

namespace FramePainter.Core.Tests.Engine;

/// <summary>What a result says of how it was made, and its text form.</summary>
[Collection(nameof(Alone))]
public sealed class MetadataTests
{
    static readonly PixelImage s_picture = Pictures.Random(70, 60, PixelFormat.Rgb24, 3);
    static readonly Signal s_signal = Signal.Combine(
        Signal.Sketch(Pictures.Random(70, 60, PixelFormat.Rgb24, 4)), Signal.Points([new(new(0.1f, 1f / 3), new(69.5f, 2)), new(new(7, 8), new(9, 10))]));

    static readonly EditOptions s_options = new()
    {
        Steps = 2, Seed = long.MinValue, ControlScale = 0.1f, Guidance = 1f / 3, Decay = GuidanceDecay.None, Fit = Fit.Pad, Draws = DrawPrecision.Float32, PointCapacity = 3,
    };

    [Fact]
    public void An_edit_can_be_made_again_from_its_text()
    {
        using var painter = Open(hash: false);
        var result = painter.Edit(s_picture, s_signal, s_options with { Progress = new Progress<EditProgress>() });
        var read = EditMetadata.FromJson(result.Metadata.ToJson());
        Assert.Equal(s_options with { Size = (64, 64) }, read.Options);
        Assert.Equal((70, 60), (read.Width, read.Height));
        Assert.Equal("sketch with drag points", read.Signal);
        Assert.Equal(painter.Device, read.Device);
        Assert.Equal(AttentionKind.Matching, read.Attention);
        Assert.StartsWith("0.", read.Version, StringComparison.Ordinal);
        Assert.Empty(read.ModelHashes);
        Assert.Equal([new(new(0.1f, 1f / 3), new(69.5f, 2)), new(new(7, 8), new(9, 10))], read.Points);
        Assert.Equal(result.Metadata.ToJson(), read.ToJson());
        Assert.Equal(result.Latents, painter.Edit(s_picture, s_signal, read.Options).Latents);
    }

    [Fact]
    public void Weights_are_named_by_their_hashes_where_asked_for()
    {
        using var painter = Open(hash: true);
        var hashes = EditMetadata.FromJson(painter.Edit(s_picture, s_signal, s_options).Metadata.ToJson()).ModelHashes;
        Assert.Equal(4, hashes.Count);
        var file = Path.Combine(Repository.TinyModel, "framepainter", "encoder_diffusion_pytorch_model.safetensors");
        Assert.Equal(Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(file))), hashes["control/encoder_diffusion_pytorch_model.safetensors"]);
    }

    [Fact]
    public void Weights_are_hashed_where_the_user_has_no_folder_for_a_cache()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "The folder is named by the environment on Linux alone.");
        const string variable = "XDG_DATA_HOME";
        var before = Environment.GetEnvironmentVariable(variable);
        try
        {
            Environment.SetEnvironmentVariable(variable, Path.Combine(Environment.ProcessPath!, "data"));
            Assert.Null(HashCache.OfUser());
            using var painter = Open(hash: true);
            Assert.Equal(4, painter.Edit(s_picture, s_signal, s_options).Metadata.ModelHashes.Count);
        }
        finally
        {
            Environment.SetEnvironmentVariable(variable, before);
        }
    }

    [Fact]
    public void The_text_is_this_text()
    {
        var metadata = new EditMetadata
        {
            Version = "0.1.0", Options = EditOptions.Default, Attention = AttentionKind.Temporal, Width = 5, Height = 6, Device = "CPU \"x\"", Signal = "sketch",
            ModelHashes = new Dictionary<string, string> { ["unet/b"] = "ff", ["unet/a"] = "00" },
        };
        Assert.Equal(
            """{"format":1,"version":"0.1.0","options":{"steps":25,"seed":3413,"controlScale":0.8,"guidance":3,"decay":"InverseSquare","fit":"Stretch","draws":"Float16","pointCapacity":32},"attention":"Temporal","width":5,"height":6,"device":"CPU \u0022x\u0022","signal":"sketch","points":[],"models":{"unet/a":"00","unet/b":"ff"}}""",
            metadata.ToJson());
        Assert.Equal("CPU \"x\"", EditMetadata.FromJson(metadata.ToJson()).Device);
    }

    [Theory]
    [InlineData("")]
    [InlineData("[]")]
    [InlineData("{}")]
    [InlineData("null")]
    [InlineData("\"format\":1", "\"format\":2")]
    [InlineData("\"format\":1", "\"format\":1e99")]
    [InlineData("\"version\":\"0.1.0\"", "\"version\":null")]
    [InlineData("\"steps\":25", "\"steps\":0")]
    [InlineData("\"steps\":25,", "")]
    [InlineData("\"seed\":3413", "\"seed\":99999999999999999999")]
    [InlineData("\"guidance\":3", "\"guidance\":1e99")]
    [InlineData("\"Stretch\"", "\"1\"")]
    [InlineData("\"Temporal\"", "\"Spatial\"")]
    [InlineData("\"fit\"", "\"size\":[1],\"fit\"")]
    [InlineData("\"points\":[]", "\"points\":[[1,2,3]]")]
    [InlineData("\"points\":[]", "\"points\":[[1,2,3,4,5]]")]
    [InlineData("\"points\":[]", "\"points\":[[1,2,3,1e99]]")]
    [InlineData("\"points\":[]", "\"points\":{}")]
    [InlineData("\"width\":5", "\"width\":0")]
    [InlineData("\"models\":{}", "\"models\":{\"a\":1}")]
    [InlineData("\"models\":{}", "\"models\":{\"a\":\"1\",\"a\":\"2\"}")]
    [InlineData("\"models\":{}", "\"models\":[[[[[[[[[[]]]]]]]]]]")]
    public void Damaged_text_is_refused(string find, string? replacement = null)
    {
        var good = new EditMetadata { Version = "0.1.0", Options = EditOptions.Default, Attention = AttentionKind.Temporal, Width = 5, Height = 6, Device = "d", Signal = "s" }.ToJson();
        Assert.NotNull(EditMetadata.FromJson(good));
        var text = replacement is null ? find : good.Replace(find, replacement, StringComparison.Ordinal);
        Assert.NotEqual(good, text);
        Assert.Throws<MetadataException>(() => EditMetadata.FromJson(text));
    }

    [Fact]
    public void Endless_text_is_refused_and_new_fields_are_left_alone()
    {
        var good = new EditMetadata { Version = "0.1.0", Options = EditOptions.Default, Attention = AttentionKind.Temporal, Width = 5, Height = 6, Device = "d", Signal = "s" }.ToJson();
        Assert.Equal(good, EditMetadata.FromJson(good.Replace("\"width\"", "\"new\":{\"a\":[1]},\"width\"", StringComparison.Ordinal)).ToJson());
        Assert.Throws<MetadataException>(() => EditMetadata.FromJson(new string(' ', 40 << 20) + good));
        var points = string.Join(',', Enumerable.Repeat("[1,2,3,4]", Signal.MaxPoints + 1));
        Assert.Throws<MetadataException>(() => EditMetadata.FromJson(good.Replace("\"points\":[]", $"\"points\":[{points}]", StringComparison.Ordinal)));
    }

    static Painter Open(bool hash) => Painter.Load(new PainterOptions { Model = Repository.TinyModel, Threads = 2, HashModel = hash });
}
