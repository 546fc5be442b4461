using FramePainter.Tensors;
using FramePainter.Weights;

namespace FramePainter.Core.Tests.Weights;

public sealed class TensorNamesTests
{
    static readonly string s_svd = Path.Combine(TestData.Manifest, "svd");

    [Fact]
    public void The_table_and_the_real_weights_agree_in_both_directions()
    {
        var unet = UNetConfig.Load(Path.Combine(s_svd, "unet", "config.json"));
        var vae = VaeConfig.Load(Path.Combine(s_svd, "vae", "config.json"));
        var clip = ClipVisionConfig.Load(Path.Combine(s_svd, "image_encoder", "config.json"));
        var shapes = TestData.ReadManifest(TestData.Parts[1].Path).ToDictionary(t => t.Name, t => t.Shape);
        var issues = new List<CheckpointIssue>();
        var control = ControlEncoderConfig.Derive(name => shapes.TryGetValue(name, out var shape) ? shape : null, "file", 320, issues);
        Assert.Empty(issues);

        IReadOnlyList<ExpectedTensor>[] tables = [TensorNames.UNet(unet, AttentionKind.Matching), TensorNames.Control(control!), TensorNames.Vae(vae), TensorNames.Clip(clip)];
        foreach (var ((prefix, path, count), table) in TestData.Parts.Zip(tables))
        {
            var real = TestData.ReadManifest(path).Select(t => (Name: prefix + t.Name, t.Shape)).ToDictionary(t => t.Name, t => t.Shape);
            Assert.Equal(count, table.Count);
            Assert.Equal(real.Keys.Order(StringComparer.Ordinal), table.Select(t => t.Name).Order(StringComparer.Ordinal));
            Assert.All(table, t => Assert.Equal((t.Name, real[t.Name]), (t.Name, t.Shape)));
            Assert.DoesNotContain(table, t => t.Optional);
        }
    }

    [Fact]
    public void Other_attention_kinds_need_what_plain_svd_holds()
    {
        var unet = UNetConfig.Load(Path.Combine(s_svd, "unet", "config.json"));
        var plain = TestData.ReadManifest("svd/unet/diffusion_pytorch_model");
        Assert.Equal(1428, plain.Length);
        foreach (var kind in new[] { AttentionKind.CrossFrame, AttentionKind.Temporal })
        {
            var needed = TensorNames.UNet(unet, kind).Where(t => !t.Optional).Select(t => (t.Name, t.Shape)).OrderBy(t => t.Name, StringComparer.Ordinal);
            Assert.Equal(plain.Select(t => (Name: "unet." + t.Name, t.Shape)).OrderBy(t => t.Name, StringComparer.Ordinal), needed);
        }
    }

    [Fact]
    public void Control_widths_that_cannot_be_are_named()
    {
        var shapes = TestData.ReadManifest(TestData.Parts[1].Path).ToDictionary(t => t.Name, t => t.Shape);
        Assert.Contains(("control.mid_convs.1.weight", "320"), Issues(unetWidth: 128));
        shapes["embedding.3.weight"] = new Shape(63, 64, 3, 3);
        Assert.Contains(Issues(320), i => i.Tensor == "control.embedding.3.weight");
        shapes["embedding.3.weight"] = new Shape(64, 64);
        shapes.Remove("down_res.0.conv1.weight");
        Assert.Equal(["control.embedding.3.weight", "control.down_res.0.conv1.weight"], Issues(320).Select(i => i.Tensor));

        (string Tensor, string)[] Issues(int unetWidth)
        {
            var issues = new List<CheckpointIssue>();
            Assert.Null(ControlEncoderConfig.Derive(name => shapes.TryGetValue(name, out var shape) ? shape : null, "file", unetWidth, issues));
            return [.. issues.Select(i => (i.Tensor, i.Detail.Contains("320", StringComparison.Ordinal) ? "320" : string.Empty))];
        }
    }
}
