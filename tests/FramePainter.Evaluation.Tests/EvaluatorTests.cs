namespace FramePainter.Evaluation.Tests;

public sealed class EvaluatorTests
{
    static readonly PixelImage s_a = Pictures.Of(32, 24, 1);
    static readonly PixelImage s_b = Pictures.Of(32, 24, 2);

    [Fact]
    public void Figures_are_those_of_the_measures()
    {
        var figures = new Evaluator().Measure("some", [new("one", s_a, s_b), new("two", s_b, s_b)]);
        Assert.Equal("some", figures.Method);
        Assert.Null(figures.ClipFid);
        Assert.Equal(new PairFigures("one", ImageMetrics.Psnr(s_a, s_b), ImageMetrics.SsimUniform7(s_a, s_b), ImageMetrics.SsimGaussian(s_a, s_b), null, null), figures.Pairs[0]);
        Assert.Equal(double.PositiveInfinity, figures.Pairs[1].Psnr);
    }

    [Fact]
    public void An_empty_set_and_a_cancelled_one_give_nothing()
    {
        Assert.Throws<ArgumentException>(() => new Evaluator().Measure("none", []));
        Assert.Throws<OperationCanceledException>(() => new Evaluator().Measure("one", [new("one", s_a, s_b)], new CancellationToken(canceled: true)));
    }

    [Fact]
    public void The_CSV_has_every_pair_and_the_means()
    {
        var csv = EvaluationTable.Csv(
        [
            new("copy", [new("a,1", 20, 0.5, 0.25, null, 0.125), new("b", 30, 0.75, 0.5, null, 0.375)], null),
            new("exact", [new("a,1", double.PositiveInfinity, 1, 1, null, 0)], 0.5),
        ]);
        Assert.Equal(
            """
            method,pair,psnr_db,ssim_uniform7,ssim_gaussian,lpips_alex,lpips_vgg16,clip_fid
            copy,"a,1",20,0.5,0.25,,0.125,
            copy,b,30,0.75,0.5,,0.375,
            copy,mean,25,0.625,0.375,,0.25,
            exact,"a,1",inf,1,1,,0,
            exact,mean,inf,1,1,,0,0.5

            """.ReplaceLineEndings("\n"),
            csv);
    }

    [Fact]
    public void The_Markdown_has_only_what_was_measured()
    {
        var markdown = EvaluationTable.Markdown([new("copy|it", [new("a", 20, 0.5, 0.25, 0.1, null), new("b", 30.5, 0.75, 0.5, 0.2, null)], null)]);
        Assert.Equal(
            """
            | method | PSNR (dB) ↑ | SSIM 7×7 ↑ | SSIM Gaussian ↑ | LPIPS AlexNet ↓ |
            | --- | ---: | ---: | ---: | ---: |
            | copy\|it | 25.250 | 0.6250 | 0.3750 | 0.1500 |

            """.ReplaceLineEndings("\n"),
            markdown);
    }
}
