using System.Globalization;
using FramePainter.Evaluation;
using FramePainter.Imaging;
using FramePainter.Tensors;
using FramePainter.Toy;
using FramePainter.Weights.Safetensors;

namespace FramePainter.EndToEnd;

public sealed class EvalCommandTests : IDisposable
{
    readonly string _folder = Directory.CreateTempSubdirectory("framepainter-eval-").FullName;

    public EvalCommandTests()
    {
        Directory.CreateDirectory(In("pairs"));
        foreach (var sample in new[] { ToyModel.Samples[4], ToyModel.Samples[7] })
        {
            Part(sample.Name, "source", sample.Source);
            Part(sample.Name, "sketch", sample.Sketch);
            Part(sample.Name, "target", sample.Target);
        }
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Two_pairs_give_a_table_a_CSV_and_a_sheet()
    {
        var outcome = CommandLine.Run("eval", "--pairs", In("pairs"), "--attention", "matching", "temporal", "--steps", "2", "--seed", "5", "--draws", "float32", "--out", In("out"));
        outcome.AssertExit(0);
        Assert.Equal(["figures.csv", "figures.md", "sheet.png"], Directory.GetFiles(In("out")).Select(Path.GetFileName).Order(StringComparer.Ordinal));

        // Every figure is that of the picture which the edit command makes with the same settings.
        var rows = File.ReadAllLines(In("out/figures.csv")).Select(line => line.Split(',')).ToList();
        Assert.Equal(1 + (3 * 3), rows.Count);
        foreach (var (method, attention) in new[] { ("copy the source", null), ("matching", "matching"), ("temporal", "temporal") })
        {
            var psnr = new List<double>();
            foreach (var name in new[] { "004", "007" })
            {
                var result = ImageFile.Load(In($"pairs/{name}-source.png"));
                if (attention is not null)
                {
                    CommandLine.Run(
                        "edit", "--image", In($"pairs/{name}-source.png"), "--sketch", In($"pairs/{name}-sketch.png"), "--out", In("edit.png"), "--overwrite",
                        "--attention", attention, "--steps", "2", "--seed", "5", "--draws", "float32").AssertExit(0);
                    result = ImageFile.Load(In("edit.png"));
                }

                var target = ImageFile.Load(In($"pairs/{name}-target.png"));
                var row = Assert.Single(rows, r => r[0] == method && r[1] == name);
                Assert.Equal([ImageMetrics.Psnr(result, target), ImageMetrics.SsimUniform7(result, target), ImageMetrics.SsimGaussian(result, target)], row[2..5].Select(Number));
                Assert.Equal(["", "", ""], row[5..]);
                psnr.Add(Number(row[2]));
            }

            var mean = Assert.Single(rows, r => r[0] == method && r[1] == "mean");
            Assert.Equal(psnr.Average(), Number(mean[2]), 1e-12);
            var shown = psnr.Average().ToString("F3", CultureInfo.InvariantCulture);
            Assert.Contains($"| {method} | {shown} |", File.ReadAllText(In("out/figures.md")), StringComparison.Ordinal);
            Assert.Contains($"{method}\t{shown}\t", outcome.Output, StringComparison.Ordinal);
        }

        var sheet = ImageFile.Load(In("out/sheet.png"));
        Assert.Equal((4 + (5 * 132), 4 + (2 * 132)), (sheet.Width, sheet.Height));
    }

    [Fact]
    public void LPIPS_is_measured_where_weights_are_given()
    {
        WriteAlexNet(In("alex.safetensors"));
        CommandLine.Run("eval", "--pairs", In("pairs"), "--steps", "1", "--out", In("out"), "--lpips-alex", In("alex.safetensors")).AssertExit(0);
        var row = Assert.Single(File.ReadAllLines(In("out/figures.csv")), line => line.StartsWith("copy the source,007,", StringComparison.Ordinal));
        var lpips = Lpips.Load(LpipsNetwork.Alex, In("alex.safetensors"));
        var expected = lpips.Distance(ImageFile.Load(In("pairs/007-source.png")), ImageFile.Load(In("pairs/007-target.png")), TestContext.Current.CancellationToken);
        Assert.True(expected > 0);
        Assert.Equal(expected, Number(row.Split(',')[5]));
        Assert.Contains("LPIPS AlexNet", File.ReadAllText(In("out/figures.md")), StringComparison.Ordinal);
    }

    [Fact]
    public void A_file_that_is_there_is_replaced_only_with_overwrite()
    {
        Directory.CreateDirectory(In("out"));
        File.WriteAllText(In("out/figures.md"), "mine");
        string[] arguments = ["eval", "--pairs", In("pairs"), "--steps", "1", "--out", In("out")];
        var outcome = CommandLine.Run(arguments);
        outcome.AssertExit(1);
        Assert.Contains("--overwrite", outcome.Error, StringComparison.Ordinal);
        Assert.Equal("mine", File.ReadAllText(Assert.Single(Directory.GetFiles(In("out")))));

        CommandLine.Run([.. arguments, "--overwrite"]).AssertExit(0);
        Assert.StartsWith("| method |", File.ReadAllText(In("out/figures.md")), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("004-target.png", "004-target.png")]
    [InlineData("007-sketch.png", "007-sketch.png")]
    public void A_pair_that_lacks_a_part_is_named(string missing, string named)
    {
        File.Delete(In("pairs/" + missing));
        Fails(named);
    }

    [Fact]
    public void A_pair_with_two_signals_is_named()
    {
        File.Copy(In("pairs/004-sketch.png"), In("pairs/004-coarse.png"));
        Fails("'004'");
    }

    [Fact]
    public void A_target_of_another_size_is_named()
    {
        ImageFile.Save(PixelImage.FromPixels(new byte[64 * 32], 64, 32, PixelFormat.Gray8), In("pairs/007-target.png"));
        Fails("'007'");
    }

    [Fact]
    public void A_folder_without_pairs_is_named()
    {
        Directory.Delete(In("pairs"), recursive: true);
        Fails("pairs");
        Directory.CreateDirectory(In("pairs"));
        Fails("pairs");
    }

    [Fact]
    public void Weights_that_lack_a_tensor_are_named_before_any_edit()
    {
        SafetensorsWriter.Write(
            In("alex.safetensors"), new Dictionary<string, (Shape Shape, float[] Values)>(StringComparer.Ordinal) { ["features.0.bias"] = (new Shape(64), new float[64]) });
        var outcome = Fails("features.0.weight", "--lpips-alex", In("alex.safetensors"));
        Assert.DoesNotContain("denoise", outcome.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Ctrl_C_ends_it_with_1_and_without_a_file()
    {
        if (OperatingSystem.IsWindows())
            Assert.Skip("Windows has no signal that one process can send to another's console alone.");

        using var process = CommandLine.StartInForeground("eval", "--pairs", "toy", "--steps", "200", "--out", In("out"));
        string? line;
        do
        {
            line = await process.StandardError.ReadLineAsync(TestContext.Current.CancellationToken);
        }
        while (line?.Contains("denoise", StringComparison.Ordinal) == false);

        Assert.NotNull(line);
        Assert.Equal(0, CommandLine.Interrupt(process.Id));
        var outcome = CommandLine.Finish(process);
        outcome.AssertExit(1);
        Assert.Contains("cancelled", outcome.Error, StringComparison.Ordinal);
        Assert.False(Directory.Exists(In("out")));
    }

    static double Number(string text) => double.Parse(text, CultureInfo.InvariantCulture);

    string In(string name) => Path.Combine(_folder, name);

    void Part(string name, string part, ReadOnlyMemory<byte> content) => File.WriteAllBytes(In($"pairs/{name}-{part}.png"), content.ToArray());

    // Weights of the real names and shapes, uniform around 0.
    static void WriteAlexNet(string path)
    {
        var random = new Random(1);
        var tensors = new Dictionary<string, (Shape Shape, float[] Values)>(StringComparer.Ordinal);
        foreach (var (index, outputs, inputs, side) in new[] { (0, 64, 3, 11), (3, 192, 64, 5), (6, 384, 192, 3), (8, 256, 384, 3), (10, 256, 256, 3) })
        {
            Add($"features.{index}.weight", MathF.Sqrt(6f / (inputs * side * side)), outputs, inputs, side, side);
            Add($"features.{index}.bias", 0.1f, outputs);
        }

        int[] taps = [64, 192, 384, 256, 256];
        for (var i = 0; i < taps.Length; i++)
            tensors.Add($"lin{i}.model.1.weight", (new Shape(1, taps[i], 1, 1), [.. Enumerable.Repeat(0.5f, taps[i])]));

        SafetensorsWriter.Write(path, tensors);

        void Add(string name, float reach, params ReadOnlySpan<long> extents)
        {
            var shape = new Shape(extents);
            tensors.Add(name, (shape, [.. Enumerable.Range(0, (int)shape.Count).Select(_ => reach * (float)((random.NextDouble() * 2) - 1))]));
        }
    }

    Outcome Fails(string named, params string[] arguments)
    {
        var outcome = CommandLine.Run(["eval", "--pairs", In("pairs"), "--steps", "1", "--out", In("out"), .. arguments]);
        outcome.AssertExit(1);
        var error = Assert.Single(outcome.Error.Split('\n'), line => line.StartsWith("error: ", StringComparison.Ordinal));
        Assert.Contains(named, error, StringComparison.Ordinal);
        Assert.False(Directory.Exists(In("out")));
        return outcome;
    }
}
