using System.Diagnostics;
using FramePainter.Imaging;
using FramePainter.Tensors;
using FramePainter.Toy;
using FramePainter.Weights.Safetensors;

namespace FramePainter.EndToEnd;

public sealed class EditCommandTests : IDisposable
{
    readonly string _folder = Directory.CreateTempSubdirectory("framepainter-e2e-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void A_sample_becomes_the_original_pipelines_edit()
    {
        var (edited, strip) = (In("edited.png"), In("strip.png"));
        var outcome = CommandLine.Run("edit", "--sample", "007", "--out", edited, "--side-by-side", strip);
        outcome.AssertExit(0);
        Assert.Contains("toy", outcome.Error, StringComparison.Ordinal);
        Assert.Equal([edited, strip], outcome.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries));

        // The original's own picture, but for roundings at the borders of 8-bit values.
        var original = ImageFile.Load(ToyModel.Samples[7].Original.Span).ToRgb();
        var ours = ImageFile.Load(edited);
        Assert.Equal((64, 64, PixelFormat.Rgb24), (ours.Width, ours.Height, ours.Format));
        var differing = 0;
        for (var i = 0; i < ours.Pixels.Length; i++)
        {
            var distance = Math.Abs(ours.Pixels[i] - original.Pixels[i]);
            Assert.True(distance <= 1, $"value {i}: {ours.Pixels[i]} for {original.Pixels[i]}");
            differing += distance;
        }

        Assert.True(differing <= 0.005 * ours.Pixels.Length, $"{differing} of {ours.Pixels.Length} values differ");
        Assert.Equal(((3 * 256) + 32, 256 + 16), (ImageFile.Load(strip).Width, ImageFile.Load(strip).Height));
    }

    [Fact]
    public void Files_of_ones_own_give_the_samples_edit_with_the_samples_settings()
    {
        var sample = ToyModel.Samples[3];
        File.WriteAllBytes(In("image.png"), sample.Source.ToArray());
        File.WriteAllBytes(In("sketch.png"), sample.Sketch.ToArray());
        // The metadata name the device with its threads, which the picture does not depend on.
        CommandLine.Run("edit", "--sample", "3", "--steps", "2", "--out", In("a.png"), "--no-metadata").AssertExit(0);
        CommandLine.Run(
            "edit", "--image", In("image.png"), "--sketch", In("sketch.png"), "--out", In("b.png"), "--model", ToyModel.Folder,
            "--seed", "3416", "--draws", "float32", "--steps", "2", "--threads", "1", "--no-metadata").AssertExit(0);
        Assert.Equal(File.ReadAllBytes(In("a.png")), File.ReadAllBytes(In("b.png")));

        CommandLine.Run("edit", "--sample", "3", "--steps", "2", "--out", In("c.png"), "--seed", "1", "--no-metadata").AssertExit(0);
        Assert.NotEqual(File.ReadAllBytes(In("a.png")), File.ReadAllBytes(In("c.png")));
    }

    [Fact]
    public void A_sketch_on_nothing_is_one_on_black()
    {
        var sample = ToyModel.Samples[3];
        File.WriteAllBytes(In("image.png"), sample.Source.ToArray());
        var strokes = ImageFile.Load(sample.Sketch.Span).ToGray();
        // White everywhere, seen as far as there are strokes.
        byte[] pixels = [.. strokes.Pixels.ToArray().SelectMany(p => new byte[] { 255, 255, 255, p })];
        ImageFile.Save(strokes, In("black.png"));
        ImageFile.Save(PixelImage.FromPixels(pixels, 64, 64, PixelFormat.Rgba32), In("nothing.png"));
        foreach (var name in new[] { "black", "nothing" })
            CommandLine.Run("edit", "--image", In("image.png"), "--sketch", In($"{name}.png"), "--steps", "1", "--out", In($"{name}-edit.png")).AssertExit(0);

        Assert.Equal(File.ReadAllBytes(In("black-edit.png")), File.ReadAllBytes(In("nothing-edit.png")));
    }

    [Fact]
    public void The_dump_holds_latents_and_frames_of_the_edit()
    {
        CommandLine.Run("edit", "--sample", "001", "--steps", "2", "--out", In("a.png"), "--dump", In("a.safetensors")).AssertExit(0);
        using var dump = SafetensorsFile.Open(In("a.safetensors"));
        Assert.Equal((DType.F32, new Shape(1, 2, 4, 16, 16)), (dump.Tensors["latents"].Type, dump.Tensors["latents"].Shape));
        Assert.Equal((DType.U8, new Shape(2, 64, 64, 3)), (dump.Tensors["frames"].Type, dump.Tensors["frames"].Shape));
        var edited = dump.Tensors["edited"];
        var bytes = File.ReadAllBytes(In("a.safetensors")).AsSpan((int)edited.Offset, (int)edited.Bytes);
        Assert.True(bytes.SequenceEqual(ImageFile.Load(In("a.png")).Pixels));
        Assert.Equal("3414", dump.Metadata["seed"]);
    }

    [Fact]
    public void A_file_that_is_there_is_replaced_only_with_overwrite()
    {
        File.WriteAllText(In("a.png"), "mine");
        var outcome = CommandLine.Run("edit", "--sample", "0", "--steps", "1", "--out", In("a.png"));
        outcome.AssertExit(1);
        Assert.Contains("--overwrite", outcome.Error, StringComparison.Ordinal);
        Assert.Equal("mine", File.ReadAllText(In("a.png")));

        CommandLine.Run("edit", "--sample", "0", "--steps", "1", "--out", In("a.png"), "--overwrite").AssertExit(0);
        Assert.Equal(64, ImageFile.Load(In("a.png")).Width);
    }

    [Fact]
    public void A_missing_picture_exits_1_and_is_named() => Fails("missing.png", "--image", In("missing.png"), "--sketch", In("missing.png"));

    [Fact]
    public void What_is_no_picture_exits_1_and_is_named()
    {
        File.WriteAllText(In("text.png"), "no picture at all");
        Fails("text.png", "--image", In("text.png"), "--sketch", In("text.png"));
    }

    [Fact]
    public void A_sketch_of_another_aspect_exits_1()
    {
        File.WriteAllBytes(In("image.png"), ToyModel.Samples[0].Source.ToArray());
        ImageFile.Save(PixelImage.FromPixels(new byte[128 * 16], 128, 16, PixelFormat.Gray8), In("wide.png"));
        Fails("128", "--image", In("image.png"), "--sketch", In("wide.png"));
    }

    [Fact]
    public void A_folder_that_cannot_be_written_into_is_told_before_the_edit()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Only there is a folder that nobody can write into, not even root.");
        foreach (var arguments in new[] { new[] { "edit", "--sample", "0", "--out", "/proc/out.png" }, ["eval", "--pairs", "toy", "--out", "/proc/out"] })
        {
            var outcome = CommandLine.Run(arguments);
            outcome.AssertExit(1);
            Assert.Equal("error: The folder '/proc' cannot be written into", outcome.Error.Split(':')[0] + ":" + outcome.Error.Split(':')[1]);
        }
    }

    [Fact]
    public void A_row_that_is_too_large_is_told_before_the_edit()
    {
        var wide = PixelImage.FromPixels(new byte[12000 * 64], 12000, 64, PixelFormat.Gray8);
        ImageFile.Save(wide, In("wide.png"));
        foreach (var (strip, named) in new[] { ("strip.png", "36032×80"), ("strip.webp", "36032×80") })
            Fails(named, "--image", In("wide.png"), "--sketch", In("wide.png"), "--side-by-side", In(strip), "--model", In("no-model"));

        ImageFile.Save(PixelImage.FromPixels(new byte[17000 * 8], 17000, 8, PixelFormat.Gray8), In("wider.png"));
        var outcome = CommandLine.Run("edit", "--image", In("wider.png"), "--sketch", In("wider.png"), "--out", In("out.webp"), "--model", In("no-model"));
        outcome.AssertExit(1);
        Assert.Contains("does not fit WebP", outcome.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void A_signal_too_large_for_the_metadata_is_left_out_of_it()
    {
        // Noise does not deflate: 26 MB of it stay 26 MB.
        const int Side = 5120;
        var noise = new byte[Side * Side];
        new Random(1).NextBytes(noise);
        File.WriteAllBytes(In("image.png"), ToyModel.Samples[3].Source.ToArray());
        ImageFile.Save(PixelImage.FromPixels(noise, Side, Side, PixelFormat.Gray8), In("noise.png"));
        var outcome = CommandLine.Run("edit", "--image", In("image.png"), "--sketch", In("noise.png"), "--steps", "1", "--out", In("out.png"));
        outcome.AssertExit(0);
        Assert.Contains("--no-metadata", Assert.Single(outcome.Error.Split('\n'), line => line.StartsWith("warning: ", StringComparison.Ordinal)), StringComparison.Ordinal);
        var metadata = EditFile.ReadMetadata(In("out.png"))!;
        Assert.Equal((1, "sketch"), (metadata.Options.Steps, metadata.Signal));
        Assert.Null(metadata.Record);
    }

    [Fact]
    public void A_missing_model_exits_1_and_is_named() => Fails("no-model", "--sample", "0", "--model", In("no-model"));

    [Fact]
    public void Verbose_shows_where_an_error_came_from()
    {
        var outcome = CommandLine.Run("edit", "--sample", "0", "--model", In("no-model"), "--out", In("out.png"), "--verbose");
        Assert.Equal(1, outcome.ExitCode);
        Assert.Contains("   at FramePainter", outcome.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Ctrl_C_ends_an_edit_with_1_and_without_a_file()
    {
        if (OperatingSystem.IsWindows())
            Assert.Skip("Windows has no signal that one process can send to another's console alone.");

        using var process = CommandLine.StartInForeground("edit", "--sample", "0", "--steps", "1000", "--out", In("out.png"));
        string? line;
        do
        {
            line = await process.StandardError.ReadLineAsync();
        }
        while (line?.Contains("denoise", StringComparison.Ordinal) == false);

        Assert.NotNull(line);
        var clock = Stopwatch.StartNew();
        Assert.Equal(0, CommandLine.Interrupt(process.Id));
        var outcome = CommandLine.Finish(process);
        Assert.True(clock.Elapsed < TimeSpan.FromSeconds(5), $"{clock.Elapsed}");
        outcome.AssertExit(1);
        Assert.Contains("cancelled", outcome.Error, StringComparison.Ordinal);
        Assert.Empty(Directory.GetFileSystemEntries(_folder));
    }

    string In(string name) => Path.Combine(_folder, name);

    void Fails(string named, params string[] arguments)
    {
        var before = Directory.GetFileSystemEntries(_folder).Order(StringComparer.Ordinal).ToList();
        var outcome = CommandLine.Run(["edit", .. arguments, "--out", In("out.png")]);
        outcome.AssertExit(1);
        var error = Assert.Single(outcome.Error.Split('\n'), line => line.StartsWith("error: ", StringComparison.Ordinal));
        Assert.Contains(named, error, StringComparison.Ordinal);
        Assert.Equal(before, Directory.GetFileSystemEntries(_folder).Order(StringComparer.Ordinal));
    }
}
