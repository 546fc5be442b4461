using System.Drawing;
using System.Text.Json;
using FramePainter.Imaging;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.Logging;

namespace FramePainter.Extensions.AI.Tests;

/// <summary>What the generator makes of requests.</summary>
public sealed class GeneratorTests(ToyPainter toy) : IClassFixture<ToyPainter>, IDisposable
{
    readonly Recorder _log = new();

    static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_raw_request_is_the_painters_own_edit()
    {
        using var generator = Open();
        var response = await generator.GenerateAsync(ToyPainter.Request(), ToyPainter.Sketch(), Cancel);
        var content = Assert.IsType<DataContent>(Assert.Single(response.Contents));
        var expected = toy.Painter.Edit(
            ImageFile.Load(ToyPainter.Sample.Source.Span), Signal.Sketch(ImageFile.Load(ToyPainter.Sample.Sketch.Span)), new EditOptions { Steps = 2, Seed = 5 }, Cancel);
        Assert.Equal("image/png", content.MediaType);
        Assert.Equal("edit-5.png", content.Name);
        Assert.Equal(expected.Edited.Pixels.ToArray(), ImageFile.Load(content.Data.Span).Pixels.ToArray());
        Assert.Equal(expected.Latents, Assert.Single((List<EditResult>)response.RawRepresentation!).Latents);
    }

    [Fact]
    public async Task Count_makes_variants_with_consecutive_seeds()
    {
        using var generator = Open();
        var options = ToyPainter.Sketch();
        options.Count = 3;
        var response = await generator.GenerateAsync(ToyPainter.Request(), options, Cancel);
        var results = (List<EditResult>)response.RawRepresentation!;
        Assert.Equal([5L, 6, 7], results.Select(r => r.Metadata.Options.Seed));
        var second = await generator.GenerateAsync(ToyPainter.Request(), ToyPainter.Sketch(seed: 6), Cancel);
        Assert.Equal(((DataContent)second.Contents[0]).Data.ToArray(), ((DataContent)response.Contents[1]).Data.ToArray());
    }

    [Fact]
    public async Task Properties_say_the_same_as_a_raw_request()
    {
        using var generator = Open();
        var expected = await generator.GenerateAsync(ToyPainter.Request(), ToyPainter.Sketch(), Cancel);
        var sketch = ToyPainter.Sample.Sketch;
        object[] sketches = [ToyPainter.Picture(sketch), sketch.ToArray(), sketch, ImageFile.Load(sketch.Span)];
        foreach (var given in sketches)
        {
            var properties = new AdditionalPropertiesDictionary
            {
                [EditProperties.Sketch] = given,
                [EditProperties.Steps] = JsonDocument.Parse("2").RootElement,
                [EditProperties.Seed] = 5L,
                [EditProperties.ControlScale] = 0.8,
                [EditProperties.Guidance] = 3,
                ["another.provider"] = "is none of ours",
            };
            var response = await generator.GenerateAsync(ToyPainter.Request(), new ImageGenerationOptions { AdditionalProperties = properties }, Cancel);
            Assert.Equal(((List<EditResult>)expected.RawRepresentation!)[0].Latents, ((List<EditResult>)response.RawRepresentation!)[0].Latents);
        }
    }

    [Theory]
    [InlineData("image/jpeg", ".jpeg", ImageFormat.Jpeg)]
    [InlineData("image/webp", ".webp", ImageFormat.WebP)]
    public async Task Other_file_formats_are_written(string mediaType, string extension, ImageFormat format)
    {
        using var generator = Open();
        var options = ToyPainter.Sketch();
        options.MediaType = mediaType;
        var content = (DataContent)(await generator.GenerateAsync(ToyPainter.Request(), options, Cancel)).Contents[0];
        Assert.Equal((mediaType, $"edit-5{extension}"), (content.MediaType, content.Name));
        using var again = new MemoryStream();
        ImageFile.Save(((EditResult)content.RawRepresentation!).Edited, again, format);
        Assert.Equal(again.ToArray(), content.Data.ToArray());
    }

    [Fact]
    public async Task A_prompt_is_told_to_have_no_effect()
    {
        using var generator = Open();
        await generator.GenerateAsync(ToyPainter.Request("a red disc"), ToyPainter.Sketch(1), Cancel);
        Assert.Contains(_log.Entries, e => e is { Level: LogLevel.Warning, Event: "PromptIgnored" });
        Assert.Equal(["EditStarted", "EditCompleted"], _log.Entries.Where(e => e.Level == LogLevel.Information).Select(e => e.Event));
    }

    [Fact]
    public async Task Pictures_are_asked_for_by_name()
    {
        using var generator = Open();
        var picture = ToyPainter.Picture(ToyPainter.Sample.Source);
        await Refused<ImageException>(new ImageGenerationRequest("a cat"), ToyPainter.Sketch(), "0 original images");
        await Refused<ImageException>(new ImageGenerationRequest("", [picture, picture]), ToyPainter.Sketch(), "2 original images");
        await Refused<ImageException>(new ImageGenerationRequest("", [new UriContent(new Uri("https://example.com/a.png"), "image/png")]), ToyPainter.Sketch(), "nothing is fetched");
        await Refused<ImageException>(new ImageGenerationRequest("", [new DataContent(new byte[] { 1 }, "text/plain")]), ToyPainter.Sketch(), "text/plain");
        await Refused<ImageException>(new ImageGenerationRequest("", [new DataContent(new byte[] { 1 }, "image/png")]), ToyPainter.Sketch(), "");
        Assert.Equal(5, _log.Entries.Count(e => e is { Level: LogLevel.Error, Event: "EditFailed" }));

        Task Refused<T>(ImageGenerationRequest request, ImageGenerationOptions options, string message)
            where T : Exception => GeneratorTests.Refused<T>(generator, request, options, message);
    }

    [Fact]
    public async Task Signals_are_asked_for_by_name()
    {
        using var generator = Open();
        var request = ToyPainter.Request("make it red");
        var sketch = ToyPainter.Sample.Sketch.ToArray();
        await Refused<SignalException>(generator, request, null, "has no signal");
        await Refused<SignalException>(generator, request, With((EditProperties.Sketch, sketch), (EditProperties.Coarse, sketch)), "several signals");
        await Refused<SignalException>(generator, request, With((EditProperties.Signal, "sketch")), "is a String");
        await Refused<SignalException>(generator, request, new ImageGenerationOptions { RawRepresentationFactory = _ => "x" }, "gave a String");
        var both = ToyPainter.Sketch();
        both.AdditionalProperties = new AdditionalPropertiesDictionary { [EditProperties.Steps] = 3 };
        await Refused<SignalException>(generator, request, both, EditProperties.Steps);
    }

    [Fact]
    public async Task Options_that_cannot_be_met_are_refused_by_name()
    {
        using var generator = Open();
        var sketch = ToyPainter.Sample.Sketch.ToArray();
        await Named("framepainter.stepz", With((EditProperties.Sketch, sketch), ("framepainter.stepz", 1)));
        await Named(EditProperties.Steps, With((EditProperties.Sketch, sketch), (EditProperties.Steps, "3")));
        await Named(EditProperties.Steps, With((EditProperties.Sketch, sketch), (EditProperties.Steps, 1L << 40)));
        await Named(EditProperties.Guidance, With((EditProperties.Sketch, sketch), (EditProperties.Guidance, "3")));
        await Named(nameof(EditOptions.Steps), With((EditProperties.Sketch, sketch), (EditProperties.Steps, 0)));
        await Named(nameof(ImageGenerationOptions.Count), Changed(o => o.Count = 0));
        await Named(nameof(ImageGenerationOptions.Count), Changed(o => o.Count = 65));
        await Named(nameof(ImageGenerationOptions.MediaType), Changed(o => o.MediaType = "image/avif"));
        await Named(nameof(ImageGenerationOptions.ModelId), Changed(o => o.ModelId = "sd-turbo"));
        await Named(nameof(ImageGenerationOptions.ResponseFormat), Changed(o => o.ResponseFormat = ImageGenerationResponseFormat.Uri));
        await Named(nameof(ImageGenerationOptions.ImageSize), Changed(o => o.ImageSize = new Size(1024, 576)));

        async Task Named(string option, ImageGenerationOptions options)
        {
            var error = await Assert.ThrowsAsync<OptionException>(() => generator.GenerateAsync(ToyPainter.Request(), options, Cancel));
            Assert.Equal(option, error.Option);
        }

        static ImageGenerationOptions Changed(Action<ImageGenerationOptions> change)
        {
            var options = ToyPainter.Sketch();
            change(options);
            return options;
        }
    }

    [Fact]
    public async Task A_cancelled_edit_ends_as_cancelled_and_the_next_one_runs()
    {
        using var generator = Open();
        using var source = new CancellationTokenSource();
        var options = new ImageGenerationOptions
        {
            RawRepresentationFactory = _ => new EditRequest(Signal.Sketch(ImageFile.Load(ToyPainter.Sample.Sketch.Span)))
            {
                Options = new EditOptions { Steps = 20, Progress = new Callback(p => { if (p is { Stage: EditStage.Denoise, Step: 2 }) { source.Cancel(); } }) },
            },
        };
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => generator.GenerateAsync(ToyPainter.Request(), options, source.Token));
        Assert.Contains(_log.Entries, e => e.Event == "EditCancelled");
        Assert.Single((await generator.GenerateAsync(ToyPainter.Request(), ToyPainter.Sketch(1), Cancel)).Contents);
    }

    [Fact]
    public async Task Its_parts_can_be_asked_for()
    {
        var generator = Open();
        Assert.Same(toy.Painter, generator.GetService(typeof(Painter)));
        Assert.Same(generator, generator.GetService(typeof(IImageGenerator)));
        Assert.Equal("framepainter", ((ImageGeneratorMetadata)generator.GetService(typeof(ImageGeneratorMetadata))!).DefaultModelId);
        Assert.Null(generator.GetService(typeof(Painter), "key"));
        Assert.Null(generator.GetService(typeof(string)));
        generator.Dispose();
        generator.Dispose();
        await Assert.ThrowsAsync<ObjectDisposedException>(() => generator.GenerateAsync(ToyPainter.Request(), ToyPainter.Sketch(), Cancel));
        Assert.NotEmpty(toy.Painter.Device);
    }

    public void Dispose() => _log.Dispose();

    FramePainterImageGenerator Open() => new(toy.Painter, _log);

    static ImageGenerationOptions With(params (string Key, object Value)[] properties)
    {
        var options = new ImageGenerationOptions { AdditionalProperties = [] };
        foreach (var (key, value) in properties)
        {
            options.AdditionalProperties[key] = value;
        }

        return options;
    }

    static async Task Refused<T>(IImageGenerator generator, ImageGenerationRequest request, ImageGenerationOptions? options, string message)
        where T : Exception
    {
        var error = await Assert.ThrowsAsync<T>(() => generator.GenerateAsync(request, options, Cancel));
        Assert.Contains(message, error.Message, StringComparison.Ordinal);
    }

    sealed class Callback(Action<EditProgress> action) : IProgress<EditProgress>
    {
        public void Report(EditProgress value) => action(value);
    }
}
