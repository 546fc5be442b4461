namespace FramePainter.EndToEnd;

public sealed class CheckpointCommandTests : IDisposable
{
    readonly string _folder = Directory.CreateTempSubdirectory("framepainter-e2e-").FullName;

    static string Tiny => Path.Combine(CommandLine.Repository, "tests", "goldens", "models", "tiny");

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Inspect_shows_the_parts_of_a_checkpoint_and_that_nothing_is_missing()
    {
        var outcome = CommandLine.Run("inspect", Tiny);
        outcome.AssertExit(0);
        foreach (var part in new[] { "unet", "control", "vae", "clip", "Nothing is missing, misshaped or unused." })
            Assert.Contains(part, outcome.Output, StringComparison.Ordinal);
    }

    [Fact]
    public void Inspect_lists_every_tensor_of_a_file()
    {
        var file = Path.Combine(Tiny, "framepainter", "encoder_diffusion_pytorch_model.safetensors");
        var outcome = CommandLine.Run("inspect", file, "--all");
        outcome.AssertExit(0);
        Assert.Equal(52, outcome.Output.Split('\n').Count(line => line.Contains("\tF16\t[", StringComparison.Ordinal)));
        Assert.DoesNotContain("Nothing is missing", outcome.Output, StringComparison.Ordinal);
    }

    [Fact]
    public void Inspect_of_nothing_exits_1_and_names_it()
    {
        var outcome = CommandLine.Run("inspect", Path.Combine(_folder, "nothing"));
        outcome.AssertExit(1);
        Assert.Contains(Path.Combine(_folder, "nothing"), outcome.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void A_made_checkpoint_lacks_nothing_until_a_file_is_taken_from_it()
    {
        var made = Path.Combine(_folder, "tiny");
        CommandLine.Run("make-checkpoint", "--preset", "tiny", "--out", made, "--seed", "5").AssertExit(0);
        CommandLine.Run("inspect", made).AssertExit(0);

        // A folder that holds something is not written into.
        CommandLine.Run("make-checkpoint", "--preset", "tiny", "--out", made).AssertExit(1);

        File.Delete(Path.Combine(made, "svd", "vae", "diffusion_pytorch_model.safetensors"));
        var outcome = CommandLine.Run("inspect", made);
        outcome.AssertExit(1);
        Assert.Contains("vae", outcome.Error + outcome.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("Nothing is missing", outcome.Output, StringComparison.Ordinal);
    }

    [Fact]
    public void A_truncated_file_exits_1_and_names_it()
    {
        var whole = Path.Combine(Tiny, "framepainter", "encoder_diffusion_pytorch_model.safetensors");
        var cut = Path.Combine(_folder, "cut.safetensors");
        File.WriteAllBytes(cut, File.ReadAllBytes(whole)[..^10]);
        var outcome = CommandLine.Run("inspect", cut);
        outcome.AssertExit(1);
        Assert.Contains(cut, outcome.Error + outcome.Output, StringComparison.Ordinal);
    }

    [Fact]
    public void Bench_times_every_stage()
    {
        var outcome = CommandLine.Run("bench", "--repeat", "0");
        outcome.AssertExit(0);
        foreach (var stage in new[] { "load", "describe", "encode", "denoise", "decode", "GFLOP/s", "peak memory" })
            Assert.Contains(stage, outcome.Output, StringComparison.Ordinal);
    }
}
