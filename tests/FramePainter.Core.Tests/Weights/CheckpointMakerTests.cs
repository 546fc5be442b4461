using FramePainter.Tensors;
using FramePainter.Weights;

namespace FramePainter.Core.Tests.Weights;

public sealed class CheckpointMakerTests : IDisposable
{
    readonly TestFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(DType.F16)]
    [InlineData(DType.BF16)]
    [InlineData(DType.F32)]
    public void A_made_checkpoint_opens_and_is_the_same_for_the_same_seed(DType type)
    {
        var seen = new Log();
        CheckpointMaker.Make("tiny", _folder["a"], seed: 5, type, seen);
        CheckpointMaker.Make("tiny", _folder["b"], seed: 5, type);
        CheckpointMaker.Make("tiny", _folder["c"], seed: 6, type);
        using var checkpoint = Checkpoint.Open(_folder["a"]);
        Assert.Equal(CheckpointMaker.Bytes("tiny", type), checkpoint.WeightBytes);
        Assert.Equal(checkpoint.WeightBytes, seen.Reports[^1].Bytes);
        Assert.All(seen.Reports, r => Assert.Equal(checkpoint.WeightBytes, r.TotalBytes));
        Assert.All(checkpoint.Report.Tensors, t => Assert.Equal(type, t.Type));
        Assert.Equivalent(CheckpointPreset.Tiny.UNet, checkpoint.UNet, strict: true);
        Assert.Equivalent(CheckpointPreset.Tiny.Control, checkpoint.Control, strict: true);
        const string weights = "framepainter/unet_diffusion_pytorch_model.safetensors";
        var bytes = File.ReadAllBytes(_folder["a/" + weights]);
        Assert.True(bytes.AsSpan().SequenceEqual(File.ReadAllBytes(_folder["b/" + weights])));
        Assert.False(bytes.AsSpan().SequenceEqual(File.ReadAllBytes(_folder["c/" + weights])));
        Assert.Equal(["a", "b", "c"], Directory.EnumerateFileSystemEntries(_folder.Root).Select(Path.GetFileName).Order());
    }

    [Fact]
    public void Weights_keep_the_variance_of_what_goes_through_them()
    {
        CheckpointMaker.Make("tiny", _folder["a"], type: DType.F32);
        using var checkpoint = Checkpoint.Open(_folder["a"]);
        var (mean, deviation) = Moments("unet.mid_block.resnets.0.spatial_res_block.conv1.weight");
        Assert.InRange(mean * Math.Sqrt(64 * 9), -0.02, 0.02);
        Assert.InRange(deviation * Math.Sqrt(64 * 9), 0.98, 1.02);
        (mean, deviation) = Moments("clip.vision_model.post_layernorm.weight");
        Assert.InRange(mean, 0.98, 1.02);
        Assert.InRange(deviation, 0.01, 0.03);
        Assert.Equal((0.5, 0), Moments("unet.mid_block.resnets.0.time_mixer.mix_factor"));

        (double Mean, double Deviation) Moments(string name)
        {
            using var handle = checkpoint.Open(name);
            var values = handle.View.ToArray();
            var average = values.Average(v => (double)v);
            return (average, Math.Sqrt(values.Average(v => (v - average) * (v - average))));
        }
    }

    [Theory]
    [InlineData(DType.F16)]
    [InlineData(DType.F32)]
    public void Values_do_not_depend_on_the_pieces_they_are_drawn_in(DType type)
    {
        const int count = 1003;
        var filler = new GaussianFiller(1, "x", type, 0, 1);
        var whole = new byte[count * type.Size()];
        var parts = new byte[whole.Length];
        filler.Fill(0, whole);
        for (var first = 0; first < count; first += 100)
        {
            filler.Fill(first, parts.AsSpan(first * type.Size(), Math.Min(100, count - first) * type.Size()));
        }

        Assert.Equal(whole, parts);
    }

    [Fact]
    public void Empty_folders_are_taken_and_others_refused()
    {
        Directory.CreateDirectory(_folder["empty"]);
        CheckpointMaker.Make("tiny", _folder["empty"] + Path.DirectorySeparatorChar);
        Checkpoint.Open(_folder["empty"]).Dispose();
        Assert.Contains("not empty", Assert.Throws<CheckpointException>(() => CheckpointMaker.Make("tiny", _folder["empty"])).Message, StringComparison.Ordinal);
        Assert.Contains("not empty", Assert.Throws<CheckpointException>(() => CheckpointMaker.Make("tiny", _folder.Write("file", "x"))).Message, StringComparison.Ordinal);
        Assert.Equal("preset", Assert.Throws<OptionException>(() => CheckpointMaker.Make("huge", _folder["x"])).Option);
        Assert.Equal("dtype", Assert.Throws<OptionException>(() => CheckpointMaker.Make("tiny", _folder["x"], type: DType.I8)).Option);
    }

    [Fact]
    public void Cancelling_and_a_full_disk_leave_nothing_behind()
    {
        using var source = new CancellationTokenSource();
        var cancel = new Log { OnReport = r => { if (r.Bytes > 100_000) source.Cancel(); } };
        Assert.Throws<OperationCanceledException>(() => CheckpointMaker.Make("tiny", _folder["a"], progress: cancel, cancellation: source.Token));
        var error = Assert.Throws<CheckpointException>(() => CheckpointMaker.Make(CheckpointPreset.Tiny, _folder["a"], 0, DType.F16, _ => 1_000_000, null, default));
        Assert.Contains("1,000,000 free", error.Message, StringComparison.Ordinal);
        Assert.Empty(Directory.EnumerateFileSystemEntries(_folder.Root));
    }

    [Fact]
    public void The_large_preset_has_the_published_sizes()
    {
        Assert.Equal(2 * (1_574_197_162L + 632_076_800 + 97_742_847 + 3_526_400), CheckpointMaker.Bytes("svd-xt"));
        foreach (var ((path, prefix, tensors), part) in CheckpointPreset.SvdXt.WeightFiles().Zip(TestData.Parts))
        {
            Assert.Equal((part.Path + ".safetensors", part.Prefix, part.Count), (path, prefix, tensors.Count));
        }
    }

    sealed class Log : IProgress<CheckpointProgress>
    {
        public List<CheckpointProgress> Reports { get; } = [];

        public Action<CheckpointProgress>? OnReport { get; init; }

        public void Report(CheckpointProgress value)
        {
            Reports.Add(value);
            OnReport?.Invoke(value);
        }
    }
}
