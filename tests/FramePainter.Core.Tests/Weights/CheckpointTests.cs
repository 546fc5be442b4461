using System.Diagnostics;
using FramePainter.Tensors;
using FramePainter.Weights;

namespace FramePainter.Core.Tests.Weights;

public sealed class CheckpointTests : IDisposable
{
    readonly TestFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Every_tensor_of_the_real_weights_binds_and_none_is_left_over()
    {
        // Full-size files, 4.6 GB in name: true headers over one hole each.
        CopyConfigs();
        foreach (var (_, path, _) in TestData.Parts)
        {
            _folder.WriteHollow(path + ".safetensors", TestData.ReadManifest(path));
        }

        var clock = Stopwatch.StartNew();
        using var checkpoint = Checkpoint.Open(_folder["svd"], _folder["framepainter"]);
        Assert.InRange(clock.Elapsed, TimeSpan.Zero, TimeSpan.FromSeconds(10));
        Assert.Equal(2454, checkpoint.TensorNames.Count);
        Assert.Equal(2 * (1_574_197_162L + 632_076_800 + 97_742_847 + 3_526_400), checkpoint.WeightBytes);
        Assert.True(checkpoint.Report.IsSound);
        foreach (var (prefix, path, _) in TestData.Parts)
        {
            foreach (var (name, shape) in TestData.ReadManifest(path))
            {
                using var handle = checkpoint.Open(prefix + name);
                Assert.Equal((prefix + name, shape, DType.F16), (handle.View.Name, handle.View.Shape, handle.View.Type));
            }
        }

        Assert.Equal([64, 64, 128], checkpoint.Control.StemWidths);
        Assert.Equal((128, 256, 320), (checkpoint.Control.SinusoidWidth, checkpoint.Control.TimeEmbeddingWidth, checkpoint.Control.OutputWidth));
    }

    [Theory]
    [InlineData(AttentionKind.Matching)]
    [InlineData(AttentionKind.CrossFrame)]
    [InlineData(AttentionKind.Temporal)]
    public void The_small_model_opens_from_one_folder_or_two(AttentionKind attention)
    {
        using var one = Checkpoint.Open(TestData.TinyModel, attention: attention);
        using var two = Checkpoint.Open(Path.Combine(TestData.TinyModel, "svd"), Path.Combine(TestData.TinyModel, "framepainter"), attention);
        Assert.Equal(958 + 52 + 370 + 40, one.TensorNames.Count);
        Assert.Equal(one.TensorNames.Order(), two.TensorNames.Order());
        Assert.Equal(attention, one.Attention);
        using var handle = one.Open("unet.conv_in.weight");
        Assert.Equal(("unet.conv_in.weight", new Shape(32, 8, 3, 3)), (handle.View.Name, handle.View.Shape));
        Assert.All(handle.View.ToArray(), v => Assert.True(float.IsFinite(v)));
        Assert.Equal("unet.nothing", Assert.Throws<CheckpointException>(() => one.Open("unet.nothing")).Tensor);
    }

    /// <summary>Tests run as root too, whom no mode of a folder keeps out.</summary>
    [Theory]
    [InlineData("empty", "empty", null)]
    [InlineData("model", "model/framepainter", "model/framepainter")]
    [InlineData("model", "model/svd/vae", null)]
    public void A_folder_that_may_not_be_listed_is_named(string opened, string denied, string? framePainter)
    {
        Directory.CreateDirectory(_folder["empty"]);
        foreach (var file in Directory.EnumerateFiles(TestData.TinyModel, "*", SearchOption.AllDirectories))
        {
            _folder.Write(Path.Combine("model", Path.GetRelativePath(TestData.TinyModel, file)), File.ReadAllBytes(file));
        }

        File.Delete(_folder["model/svd/vae/diffusion_pytorch_model.safetensors"]);
        var own = framePainter is null ? null : _folder[framePainter];
        foreach (var fault in new Exception[] { new UnauthorizedAccessException("Access is denied."), new IOException("Stale file handle.") })
        {
            DiskReads.Inject((path, wanted) => path == _folder[denied] ? throw fault : wanted);
            try
            {
                Refused(Assert.Throws<CheckpointException>(() => Checkpoint.Open(_folder[opened], own)));
                if (opened == "empty")
                {
                    Refused(Assert.Throws<CheckpointException>(() => Checkpoint.Inspect(_folder[opened])));
                }
            }
            finally
            {
                DiskReads.Inject(null);
            }
        }

        void Refused(CheckpointException error)
        {
            Assert.Equal(_folder[denied], error.File);
            Assert.Contains("cannot be listed", error.Message, StringComparison.Ordinal);
            Assert.Contains("may be read by this user", error.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Hashes_that_are_waited_for_when_the_painter_goes_end_as_its_disposal()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "A hole takes room on the disk there.");
        // A hole that takes minutes to read.
        var path = _folder.Write("large.safetensors", "");
        using (var stream = File.OpenWrite(path))
        {
            stream.SetLength(1L << 37);
        }

        var identity = new ModelIdentity([new CheckpointFile("unet", path, 1L << 37)], cache: null);
        var waiting = Task.Run(() => identity.Wait(CancellationToken.None), TestContext.Current.CancellationToken);
        await Task.Delay(100, TestContext.Current.CancellationToken);
        identity.Dispose();
        Assert.Equal(typeof(Painter).FullName, (await Assert.ThrowsAsync<ObjectDisposedException>(() => waiting)).ObjectName);
        Assert.Throws<ObjectDisposedException>(() => identity.Wait(CancellationToken.None));
    }

    [Fact]
    public void Missing_misshaped_mistyped_and_unused_tensors_are_reported_together()
    {
        CopyConfigs();
        foreach (var (_, path, _) in TestData.Parts)
        {
            var tensors = TestData.ReadManifest(path).ToList();
            if (path.Contains("unet", StringComparison.Ordinal))
                tensors[0] = ("conv_in.weight", new(320, 4, 3, 3));
            else if (path.Contains("vae", StringComparison.Ordinal))
                tensors.RemoveAll(t => t.Name.StartsWith("decoder.mid_block.attentions", StringComparison.Ordinal));
            else if (path.Contains("image_encoder", StringComparison.Ordinal))
                tensors.AddRange([("vision_model.embeddings.position_ids", new(1, 257)), ("text_model.extra", new(3))]);

            _folder.WriteHollow(path + ".safetensors", tensors, path.Contains("encoder_d", StringComparison.Ordinal) ? DType.I8 : DType.F32);
        }

        var error = Assert.Throws<CheckpointException>(() => Checkpoint.Open(_folder.Root));
        var report = error.Report!;
        Assert.Equal(["unet.conv_in.weight"], report.Of(CheckpointIssueKind.Misshaped).Select(i => i.Tensor));
        Assert.Equal(["clip.text_model.extra"], report.Of(CheckpointIssueKind.Unused).Select(i => i.Tensor));
        Assert.Equal(10, report.Of(CheckpointIssueKind.Missing).Count());
        Assert.Equal(52, report.Of(CheckpointIssueKind.UnsupportedType).Count());
        Assert.Contains("10 missing, 1 misshaped, 52 of unsupported type, 1 unused", error.Message, StringComparison.Ordinal);
        Assert.Contains("unet.conv_in.weight, expected [320, 8, 3, 3], found [320, 4, 3, 3] (" + _folder["framepainter"], error.Message, StringComparison.Ordinal);
        Assert.Contains("and 24 more", error.Message, StringComparison.Ordinal);
        Assert.Equal(42, error.Message.Split('\n').Length);

        var inspected = Checkpoint.Inspect(_folder.Root);
        Assert.Equal(report.Issues, inspected.Issues);
        Assert.Equal(4, inspected.Files.Count);
        Assert.False(inspected.IsSound);
    }

    [Fact]
    public void Plain_svd_weights_open_for_the_other_attention_kinds_alone()
    {
        CopyTiny();
        var path = _folder["framepainter/unet_diffusion_pytorch_model.safetensors"];
        var plain = Checkpoint.Inspect(path).Tensors.Where(t => !t.Name.Contains(".sparse_attention.", StringComparison.Ordinal)).Select(t => (t.Name, t.Shape)).ToArray();
        _folder.WriteHollow("framepainter/unet_diffusion_pytorch_model.safetensors", plain);
        using (var checkpoint = Checkpoint.Open(_folder.Root, attention: AttentionKind.Temporal))
        {
            Assert.Equal(plain.Length + 52 + 370 + 40, checkpoint.TensorNames.Count);
        }

        var error = Assert.Throws<CheckpointException>(() => Checkpoint.Open(_folder.Root));
        Assert.Equal(958 - plain.Length, error.Report!.Of(CheckpointIssueKind.Missing).Count());
        Assert.All(error.Report.Issues, i => Assert.Contains(".sparse_attention.", i.Tensor, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("diffusion_pytorch_model.safetensors.index.json")]
    [InlineData("diffusion_pytorch_model.safetensors.index.fp16.json")]
    [InlineData("diffusion_pytorch_model.fp16.safetensors.index.json")]
    public void Shards_are_found_under_every_name_of_their_index(string index)
    {
        CopyTiny();
        var whole = _folder["svd/vae/diffusion_pytorch_model.safetensors"];
        var tensors = Checkpoint.Inspect(whole).Tensors.Select(t => (t.Name, t.Shape)).ToArray();
        File.Delete(whole);
        _folder.WriteHollow("svd/vae/one.safetensors", tensors[..100]);
        _folder.WriteHollow("svd/vae/two.safetensors", [.. tensors[100..], ("stray", new(1))]);
        var map = string.Join(",", tensors.Select((t, i) => $"\"{t.Name}\":\"{(i < 100 ? "one" : "two")}.safetensors\""));
        _folder.Write("svd/vae/" + index, $"{{\"weight_map\":{{{map}}}}}");
        var issue = Assert.Single(Assert.Throws<CheckpointException>(() => Checkpoint.Open(_folder.Root)).Report!.Issues);
        Assert.Equal((CheckpointIssueKind.Unused, "vae.stray"), (issue.Kind, issue.Tensor));

        _folder.WriteHollow("svd/vae/two.safetensors", tensors[100..]);
        using var checkpoint = Checkpoint.Open(_folder.Root);
        Assert.Equal(5, checkpoint.Files.Count);
    }

    [Fact]
    public void Full_precision_goes_first_unless_half_is_preferred()
    {
        CopyTiny();
        var full = _folder["svd/image_encoder/model.safetensors"];
        var half = _folder["svd/image_encoder/model.fp16.safetensors"];
        File.Copy(full, half);
        Assert.Equal(full, Opened(preferFp16: false));
        Assert.Equal(half, Opened(preferFp16: true));
        File.Delete(full);
        Assert.Equal(half, Opened(preferFp16: false));

        string Opened(bool preferFp16)
        {
            using var checkpoint = Checkpoint.Open(new CheckpointLocation(_folder.Root, PreferFp16: preferFp16));
            return checkpoint.Files.Single(f => f.Part == "clip").Path;
        }
    }

    [Fact]
    public void A_folder_that_is_the_wrong_one_is_told_from_the_right_one()
    {
        CopyTiny();
        AssertRefused(_folder["nowhere"], "no folder");
        AssertRefused(_folder["svd/model_index.json"], "is a file");
        AssertRefused(_folder["svd"], $"without FramePainter's own weights", $"They are in '{_folder["framepainter"]}'");
        AssertRefused(_folder["framepainter"], "holds FramePainter's own weights", "stable-video-diffusion");
        AssertRefused(_folder["svd/vae"], "is no model folder", $"Its parent '{_folder["svd"]}' looks right");
        AssertRefused(Path.GetDirectoryName(TestData.TinyModel)!, "is no model folder", $"'{TestData.TinyModel}' looks right");
        var other = Directory.CreateDirectory(_folder["other"]).FullName;
        AssertRefused(other, "It is empty");
        var error = Assert.Throws<CheckpointException>(() => Checkpoint.Open(_folder["svd"], other));
        Assert.Contains("unet_diffusion_pytorch_model.safetensors", error.Message, StringComparison.Ordinal);
        Directory.Delete(_folder["svd/scheduler"], recursive: true);
        Directory.Delete(_folder["svd/feature_extractor"], recursive: true);
        AssertRefused(_folder.Root, "lacks scheduler/, feature_extractor/");
    }

    [Fact]
    public void Missing_and_pickled_weights_are_named()
    {
        CopyTiny();
        File.Move(_folder["svd/vae/diffusion_pytorch_model.safetensors"], _folder["svd/vae/diffusion_pytorch_model.bin"]);
        AssertRefused(_folder.Root, "diffusion_pytorch_model.fp16.safetensors", "diffusion_pytorch_model.bin");
        File.Delete(_folder["framepainter/encoder_diffusion_pytorch_model.safetensors"]);
        var report = Checkpoint.Inspect(_folder.Root);
        Assert.Equal(2, report.Problems.Count);
        Assert.Empty(report.Issues);
        Assert.Equal(998, report.Tensors.Count);
    }

    [Fact]
    public void Parts_of_other_models_are_refused_by_name()
    {
        CopyTiny();
        _folder.Write("svd/model_index.json", """{"_class_name":"StableDiffusionPipeline"}""");
        AssertRefused(_folder.Root, "another model", "StableDiffusionPipeline");
        File.Delete(_folder["svd/model_index.json"]);
        Checkpoint.Open(_folder.Root).Dispose();
        _folder.Write("svd/image_encoder/config.json", File.ReadAllText(_folder["svd/image_encoder/config.json"]).Replace("\"projection_dim\": 40", "\"projection_dim\": 48", StringComparison.Ordinal));
        AssertRefused(_folder.Root, "cross_attention_dim is 40", "48");
    }

    [Fact]
    public void Inspecting_takes_files_and_loose_folders()
    {
        var file = Path.Combine(TestData.TinyModel, "framepainter/encoder_diffusion_pytorch_model.safetensors");
        var report = Checkpoint.Inspect(file);
        Assert.Equal((52, true), (report.Tensors.Count, report.IsSound));
        Assert.Equal(report.TensorBytes, report.Parameters * 2);
        var loose = Checkpoint.Inspect(Path.Combine(TestData.TinyModel, "framepainter"));
        Assert.Equal((2, 1010), (loose.Files.Count, loose.Tensors.Count));
        Assert.Single(loose.Problems);
        Assert.Throws<CheckpointException>(() => Checkpoint.Inspect(_folder["nowhere"]));
        Assert.Throws<CheckpointException>(() => Checkpoint.Inspect(_folder.Root));
    }

    static void AssertRefused(string folder, params string[] messages)
    {
        var error = Assert.Throws<CheckpointException>(() => Checkpoint.Open(folder));
        Assert.All(messages, m => Assert.Contains(m, error.Message, StringComparison.Ordinal));
        Assert.NotNull(error.File);
    }

    void CopyTiny() => _folder.CopyFrom(TestData.TinyModel);

    void CopyConfigs()
    {
        foreach (var file in Directory.EnumerateFiles(TestData.Manifest, "*.json", SearchOption.AllDirectories).Where(f => !f.EndsWith(".tensors.json", StringComparison.Ordinal)))
        {
            _folder.Write(Path.GetRelativePath(TestData.Manifest, file), File.ReadAllBytes(file));
        }
    }
}
