using FramePainter.Imaging;
using FramePainter.Toy;

namespace FramePainter.Cli.Commands;

/// <summary>What an edit starts from: pictures off the disk, or one of the toy's samples with the settings of its reference edit.</summary>
sealed record EditInput(PixelImage Image, PixelImage Signal, bool Coarse, long Seed, DrawPrecision Draws)
{
    /// <summary>The original app's seed.</summary>
    public const long DefaultSeed = 3413;

    /// <summary>The number of the last sample.</summary>
    public static string LastSample => ToyModel.Samples[^1].Name;

    /// <summary>A sample by its number, with or without leading zeros.</summary>
    public static ToySample? Sample(string name) =>
        ToyModel.Samples.FirstOrDefault(s => string.Equals(s.Name, name.PadLeft(3, '0'), StringComparison.Ordinal));

    /// <summary>Reads the pictures that the arguments name.</summary>
    public static EditInput Load(string? sample, string? image, string? sketch, string? coarse)
    {
        if (sample is null)
            return new(ImageFile.Load(image!), ImageFile.Load((sketch ?? coarse)!), coarse is not null, DefaultSeed, DrawPrecision.Float16);

        var pair = Sample(sample)!;
        return new(ImageFile.Load(pair.Source.Span), ImageFile.Load(pair.Sketch.Span), false, pair.Seed, DrawPrecision.Float32);
    }

    /// <summary>The signal for the painter.</summary>
    public Signal ToSignal() => Coarse ? FramePainter.Signal.Coarse(Signal) : FramePainter.Signal.Sketch(Strokes.OnBlack(Signal));
}
