using FramePainter.Core.Tests.Support;
using FramePainter.Pipeline;
using FsCheck.Xunit;

namespace FramePainter.Core.Tests.Pipeline;

public sealed class SizePlanTests
{
    [Theory]
    [InlineData(1024, 576, 1024, 576)]
    [InlineData(1000, 600, 1024, 576)]
    [InlineData(1, 1, 64, 64)]
    [InlineData(95, 96, 64, 128)]
    [InlineData(32_768, 3, 32_768, 64)]
    public void Without_a_request_the_nearest_multiples_are_taken(int width, int height, int workWidth, int workHeight)
    {
        var plan = SizePlan.Create(width, height, null, 64, Fit.Stretch);
        Assert.Equal((workWidth, workHeight), (plan.Width, plan.Height));
    }

    [Theory]
    [InlineData(1000, 576, "1024×576")]
    [InlineData(0, 0, "64×64")]
    [InlineData(-64, 64, "64×64")]
    [InlineData(int.MaxValue, 64, "32768×64")]
    public void A_request_off_the_grid_is_refused_with_the_nearest(int width, int height, string nearest)
    {
        var error = Assert.Throws<OptionException>(() => SizePlan.Create(100, 100, (width, height), 64, Fit.Stretch));
        Assert.Contains(nearest, error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0, 10)]
    [InlineData(10, 40_000)]
    public void A_source_out_of_range_is_refused(int width, int height) =>
        Assert.Throws<ImageException>(() => SizePlan.Create(width, height, null, 64, Fit.Pad));

    [Fact]
    public void A_request_out_of_range_is_refused() =>
        Assert.Throws<ImageException>(() => SizePlan.Create(10, 10, (65_536, 64), 64, Fit.Pad));

    [Property]
    public bool Working_sizes_are_on_the_grid_and_hold_the_content(ushort width, ushort height, byte cells, bool pad)
    {
        var (w, h, grid) = (1 + (width % 4000), 1 + (height % 4000), 8 * (1 + (cells % 8)));
        var plan = SizePlan.Create(w, h, null, grid, pad ? Fit.Pad : Fit.Stretch);
        return plan.Width % grid == 0 && plan.Height % grid == 0
            && Math.Abs(plan.Width - w) <= Math.Max(grid / 2, grid - w)
            && Math.Abs(plan.Height - h) <= Math.Max(grid / 2, grid - h)
            && plan.ContentWidth >= 1 && plan.ContentWidth <= plan.Width
            && plan.ContentHeight >= 1 && plan.ContentHeight <= plan.Height
            && (pad ? plan.ContentWidth == plan.Width || plan.ContentHeight == plan.Height
                : plan.ContentWidth == plan.Width && plan.ContentHeight == plan.Height);
    }

    [Property]
    public bool Padding_keeps_the_aspect_ratio_to_a_pixel(ushort width, ushort height)
    {
        var plan = SizePlan.Create(200 + (width % 1000), 200 + (height % 1000), (512, 320), 64, Fit.Pad);
        var exact = (double)plan.ContentHeight * plan.SourceWidth / plan.SourceHeight;
        return Math.Abs(plan.ContentWidth - exact) <= 0.5 + (0.5 * plan.SourceWidth / plan.SourceHeight);
    }

    [Property]
    public bool Every_picture_comes_to_the_working_size_and_back(byte width, byte height, bool pad)
    {
        var source = Pictures.Random(1 + width, 1 + height, PixelFormat.Rgba32);
        var plan = SizePlan.Create(source.Width, source.Height, null, 16, pad ? Fit.Pad : Fit.Stretch);
        var there = plan.PrepareSource(source);
        var sketch = plan.PrepareSketch(source);
        var back = plan.Restore(there);
        return (there.Width, there.Height, there.Format) == (plan.Width, plan.Height, PixelFormat.Rgb24)
            && (sketch.Width, sketch.Height, sketch.Format) == (plan.Width, plan.Height, PixelFormat.Rgb24)
            && (back.Width, back.Height, back.Format) == (source.Width, source.Height, PixelFormat.Rgb24);
    }

    [Fact]
    public void A_picture_on_the_grid_passes_untouched_and_is_never_copied()
    {
        var source = Pictures.Random(64, 128, PixelFormat.Rgb24);
        foreach (var fit in Enum.GetValues<Fit>())
        {
            var plan = SizePlan.Create(64, 128, null, 64, fit);
            Assert.Same(source, plan.PrepareSource(source));
            Assert.Same(source, plan.Restore(source));
        }
    }

    [Fact]
    public void Padding_repeats_the_last_column_and_row()
    {
        var plan = SizePlan.Create(3, 2, (8, 8), 8, Fit.Pad);
        Assert.Equal((8, 5), (plan.ContentWidth, plan.ContentHeight));
        var image = PixelImage.FromPixels([1, 2, 3, 4], 2, 2, PixelFormat.Gray8);
        Assert.Equal([1, 2, 2, 3, 4, 4, 3, 4, 4, 3, 4, 4], PictureEdges.Extend(image, 3, 4).Pixels.ToArray());
        Assert.Equal(image.Pixels.ToArray(), PictureEdges.Crop(PictureEdges.Extend(image, 3, 4), 2, 2).Pixels.ToArray());
    }

    [Fact]
    public void A_padded_picture_comes_back_as_its_resize_alone_would()
    {
        var source = Pictures.Random(50, 30, PixelFormat.Rgb24);
        var plan = SizePlan.Create(50, 30, (64, 64), 64, Fit.Pad);
        var content = PillowResize.Resize(source, plan.ContentWidth, plan.ContentHeight, ResizeFilter.Lanczos);
        var want = PillowResize.Resize(content, 50, 30, ResizeFilter.Lanczos);
        Assert.Equal(want.Pixels.ToArray(), plan.Restore(plan.PrepareSource(source)).Pixels.ToArray());
    }

    [Fact]
    public void A_sketch_turns_grey_before_it_is_resized_by_bicubic()
    {
        var sketch = Pictures.Random(40, 30, PixelFormat.Rgb24);
        var plan = SizePlan.Create(80, 60, (64, 48), 16, Fit.Stretch);
        var want = PillowResize.Resize(sketch.ToGray(), 64, 48, ResizeFilter.Bicubic).ToRgb();
        Assert.Equal(want.Pixels.ToArray(), plan.PrepareSketch(sketch).Pixels.ToArray());
    }

    [Theory]
    [InlineData(300, 200)]
    [InlineData(30, 20)]
    [InlineData(31, 21)]
    [InlineData(1023, 682)]
    [InlineData(320, 192)]
    public void Signals_of_the_picture_s_or_the_working_aspect_are_taken(int width, int height)
    {
        var plan = SizePlan.Create(300, 200, null, 64, Fit.Stretch);
        Assert.Equal(plan.Width, plan.PrepareSketch(Pictures.Random(width, height, PixelFormat.Gray8)).Width);
        Assert.Equal(plan.Width, plan.PrepareCoarse(Pictures.Random(width, height, PixelFormat.Rgb24)).Width);
    }

    [Theory]
    [InlineData(200, 300, Fit.Stretch)]
    [InlineData(300, 300, Fit.Stretch)]
    [InlineData(1024, 576, Fit.Stretch)]
    [InlineData(320, 192, Fit.Pad)]
    public void Signals_of_another_aspect_are_refused_naming_both_sizes(int width, int height, Fit fit)
    {
        var plan = SizePlan.Create(300, 200, null, 64, fit);
        var error = Assert.Throws<SignalException>(() => plan.PrepareSketch(Pictures.Random(width, height, PixelFormat.Gray8)));
        Assert.Contains($"{width}×{height}", error.Message, StringComparison.Ordinal);
        Assert.Contains("300×200", error.Message, StringComparison.Ordinal);
        Assert.Throws<SignalException>(() => plan.PrepareCoarse(Pictures.Random(width, height, PixelFormat.Rgb24)));
    }

    /// <summary>The pipeline goldens give sources of any size and sketches of the working size: both must be taken.</summary>
    [Fact]
    public void The_goldens_pictures_fit_their_plans()
    {
        foreach (var golden in GoldenCase.OfKind("pipeline"))
        {
            var (source, sketch) = (golden.InputImage("source"), golden.InputImage("sketch"));
            var size = (golden.Args.GetProperty("width").GetInt32(), golden.Args.GetProperty("height").GetInt32());
            var plan = SizePlan.Create(source.Width, source.Height, size, 8, Fit.Stretch);
            Assert.Equal(size, (plan.PrepareSource(source).Width, plan.PrepareSource(source).Height));
            Assert.Equal(sketch.ToGray().ToRgb().Pixels.ToArray(), plan.PrepareSketch(sketch).Pixels.ToArray());
        }
    }
}
