using Microsoft.Extensions.AI;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace FramePainter.Extensions.AI.Tests;

/// <summary>FramePainter among an application's services.</summary>
public sealed class ServicesTests
{
    [Fact]
    public async Task Services_make_the_generator_once_and_give_the_model_back()
    {
        var log = new Recorder();
        Painter painter;
        await using (var provider = new ServiceCollection().AddLogging(b => b.AddProvider(log)).AddFramePainter(ToyPainter.Options, "toy").BuildServiceProvider())
        {
            Assert.Empty(log.Entries);
            var generator = provider.GetRequiredService<IImageGenerator>();
            painter = provider.GetRequiredService<Painter>();
            Assert.Same(generator, provider.GetRequiredService<IImageGenerator>());
            Assert.Same(painter, generator.GetService(typeof(Painter)));
            Assert.Equal("toy", ((ImageGeneratorMetadata)generator.GetService(typeof(ImageGeneratorMetadata))!).DefaultModelId);
            var response = await generator.GenerateAsync(ToyPainter.Request(), ToyPainter.Sketch(1), TestContext.Current.CancellationToken);
            Assert.Single(response.Contents);
        }

        Assert.Contains(log.Entries, e => e.Event == "ModelLoaded");
        Assert.Contains(log.Entries, e => e.Event == "EditCompleted");
        Assert.Throws<ObjectDisposedException>(() => painter.Open(PixelImage.FromPixels(new byte[64 * 64 * 3], 64, 64, PixelFormat.Rgb24)));
    }

    [Fact]
    public void Without_logging_and_with_options_of_other_services_it_works_too()
    {
        using var provider = new ServiceCollection().AddSingleton(ToyPainter.Options).AddFramePainter(p => p.GetRequiredService<PainterOptions>()).BuildServiceProvider();
        Assert.NotNull(provider.GetRequiredService<IImageGenerator>());
    }

    [Fact]
    public void A_painter_that_is_there_already_is_used()
    {
        using var painter = Painter.Load(ToyPainter.Options);
        using var provider = new ServiceCollection().AddSingleton(painter).AddFramePainter(new PainterOptions { Model = "nowhere" }).BuildServiceProvider();
        Assert.Same(painter, provider.GetRequiredService<IImageGenerator>().GetService(typeof(Painter)));
    }

    [Fact]
    public void What_is_missing_is_named()
    {
        var services = new ServiceCollection();
        Assert.Throws<ArgumentNullException>("options", () => services.AddFramePainter((PainterOptions)null!));
        Assert.Throws<ArgumentNullException>("options", () => services.AddFramePainter((Func<IServiceProvider, PainterOptions>)null!));
        Assert.Throws<ArgumentException>("modelId", () => services.AddFramePainter(ToyPainter.Options, " "));
        using var provider = services.AddFramePainter(new PainterOptions { Model = "nowhere" }).BuildServiceProvider();
        Assert.Throws<CheckpointException>(() => provider.GetRequiredService<IImageGenerator>());
    }
}
