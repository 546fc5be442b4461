using FramePainter.Imaging;
using FramePainter.Toy;
using Microsoft.Extensions.AI;

namespace FramePainter.Extensions.AI.Tests;

/// <summary>One painter with the toy model for all tests, and requests for it.</summary>
public sealed class ToyPainter : IDisposable
{
    public Painter Painter { get; } = Painter.Load(Options);

    public static PainterOptions Options => new() { Model = ToyModel.Folder, Device = Device.Cpu };

    public static ToySample Sample => ToyModel.Samples[0];

    /// <summary>A request to edit the sample's source.</summary>
    public static ImageGenerationRequest Request(string prompt = "") => new(prompt, [Picture(Sample.Source)]);

    /// <summary>Its sketch as a raw request with few steps.</summary>
    public static ImageGenerationOptions Sketch(int steps = 2, long seed = 5) => new()
    {
        RawRepresentationFactory = _ => new EditRequest(Signal.Sketch(ImageFile.Load(Sample.Sketch.Span))) { Options = new EditOptions { Steps = steps, Seed = seed } },
    };

    public static DataContent Picture(ReadOnlyMemory<byte> png) => new(png, "image/png");

    public void Dispose() => Painter.Dispose();
}
