using System.Globalization;
using FramePainter.Evaluation;
using FramePainter.Imaging;
using FramePainter.Toy;

namespace FramePainter.EndToEnd;

/// <summary>The toy's edits are as good as the original code's: the figures in its README, sample by sample.</summary>
public sealed class ToyQualityTests(ToyQualityTests.OpenToy toy) : IClassFixture<ToyQualityTests.OpenToy>
{
    const double Tolerance = 0.1;

    public static TheoryData<string> Samples => [.. ToyModel.Samples.Select(s => s.Name)];

    [Theory]
    [MemberData(nameof(Samples))]
    public void An_edit_is_within_a_tenth_of_a_decibel_of_the_original(string name)
    {
        var sample = ToyModel.Samples.Single(s => s.Name == name);
        var (source, target) = (ImageFile.Load(sample.Source.Span), ImageFile.Load(sample.Target.Span));
        var figures = toy.Figures[name];
        Assert.Equal(sample.Seed, figures.Seed);
        var result = toy.Painter.Edit(source, Signal.Sketch(ImageFile.Load(sample.Sketch.Span)), new EditOptions { Seed = sample.Seed, Draws = DrawPrecision.Float32 });

        Assert.Equal(figures.Psnr, ImageMetrics.Psnr(result.Edited, target), Tolerance);
        Assert.Equal(figures.Copying, ImageMetrics.Psnr(source, target), 0.001);
        Assert.Equal(figures.Reconstruction, ImageMetrics.Psnr(result.Source, source), Tolerance);
        Assert.Equal(figures.Ssim, ImageMetrics.SsimUniform7(result.Edited, target), 0.001);
        Assert.True(ImageMetrics.Psnr(result.Edited, ImageFile.Load(sample.Original.Span)) > 50, "It is the original's picture but for rounding.");
    }

    /// <summary>Here convolutions that are packed for one size run by Winograd's algorithm at another.</summary>
    [Fact]
    public void Products_in_bfloat16_give_the_same_picture_but_for_rounding()
    {
        var sample = ToyModel.Samples[0];
        var (source, sketch) = (ImageFile.Load(sample.Source.Span), Signal.Sketch(ImageFile.Load(sample.Sketch.Span)));
        using var narrow = Painter.Load(new PainterOptions { Model = ToyModel.Folder, Device = Device.Cpu, Precision = Precision.BFloat16 });
        var (exact, near) = (toy.Painter.Edit(source, sketch), narrow.Edit(source, sketch));
        Assert.InRange(ImageMetrics.Psnr(exact.Edited, near.Edited), 40, 80);
    }

    /// <summary>Deep features reused in every second step cost a tenth of a decibel on the toy's 24 pairs, docs/performance.md.</summary>
    [Fact]
    public void Deep_features_of_the_step_before_are_nearly_as_good()
    {
        var sample = ToyModel.Samples[0];
        var (source, sketch) = (ImageFile.Load(sample.Source.Span), Signal.Sketch(ImageFile.Load(sample.Sketch.Span)));
        var (exact, reused) = (toy.Painter.Edit(source, sketch), toy.Painter.Edit(source, sketch, new EditOptions { RefreshDeepFeaturesEvery = 2 }));
        Assert.InRange(ImageMetrics.Psnr(exact.Edited, reused.Edited), 25, 60);
    }

    [Fact]
    public void The_README_has_figures_for_every_sample() =>
        Assert.Equal(ToyModel.Samples.Select(s => s.Name).Order(StringComparer.Ordinal), toy.Figures.Keys.Order(StringComparer.Ordinal));

    /// <summary>The toy, opened once, and the table of its README.</summary>
    public sealed class OpenToy : IDisposable
    {
        public Painter Painter { get; } = Painter.Load(new PainterOptions { Model = ToyModel.Folder });

        public IReadOnlyDictionary<string, (long Seed, double Psnr, double Copying, double Reconstruction, double Ssim)> Figures { get; } =
            File.ReadLines(Path.Combine(AppContext.BaseDirectory, "toy-README.md"))
                .Select(line => line.Split('|', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
                .Where(cells => cells.Length == 7 && cells[0].Length == 3 && cells[0].All(char.IsAsciiDigit))
                .ToDictionary(cells => cells[0], cells => (long.Parse(cells[1], CultureInfo.InvariantCulture), Number(cells[2]), Number(cells[3]), Number(cells[4]), Number(cells[5])));

        public void Dispose() => Painter.Dispose();

        static double Number(string text) => double.Parse(text, CultureInfo.InvariantCulture);
    }
}
