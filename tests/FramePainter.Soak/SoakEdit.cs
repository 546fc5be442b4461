using System.IO.Hashing;
using System.Numerics;
using System.Runtime.InteropServices;

namespace FramePainter.Soak;

/// <summary>An edit that is made many times: a picture, a signal and options, all drawn from one number.</summary>
sealed record SoakEdit(PixelImage Picture, Signal Signal, EditOptions Options)
{
    const int MostSide = 100;

    public static SoakEdit Draw(int number)
    {
        var random = new Random(number);
        var (width, height) = (random.Next(1, MostSide), random.Next(1, MostSide));
        var picture = Noise(random, width, height, PixelFormat.Rgb24);
        var signal = random.Next(5) switch
        {
            0 => Signal.Sketch(Noise(random, width, height, PixelFormat.Gray8)),
            1 => Signal.Sketch([new Stroke([new(0, 0), new(width, height / 2f)], 1 + random.NextSingle())], width, height),
            2 => Signal.Coarse(Noise(random, width, height, PixelFormat.Rgba32)),
            3 => Signal.Move(picture, Filled(width, height), Matrix3x2.CreateTranslation(width / 3f, 0)),
            _ => Signal.Combine(Signal.Sketch(Noise(random, width, height, PixelFormat.Rgb24)), Signal.Points([new DragPoint(new(width / 2f, 0), new(0, height / 2f))])),
        };
        return new SoakEdit(picture, signal, new EditOptions
        {
            Steps = random.Next(1, 4), Seed = random.Next(), ControlScale = random.NextSingle(), Guidance = random.Next(3), Fit = random.Next(2) == 0 ? Fit.Stretch : Fit.Pad,
            Draws = random.Next(2) == 0 ? DrawPrecision.Float16 : DrawPrecision.Float32,
        });
    }

    /// <summary>What an edit came to, every bit of its latents and pixels.</summary>
    public static ulong Digest(EditResult result)
    {
        var hash = new XxHash3();
        hash.Append(MemoryMarshal.AsBytes<float>(result.Latents.ToArray()));
        hash.Append(result.Edited.Pixels);
        hash.Append(result.Source.Pixels);
        return hash.GetCurrentHashAsUInt64();
    }

    static PixelImage Noise(Random random, int width, int height, PixelFormat format)
    {
        var pixels = new byte[width * height * (format == PixelFormat.Gray8 ? 1 : format == PixelFormat.Rgb24 ? 3 : 4)];
        random.NextBytes(pixels);
        return PixelImage.FromPixels(pixels, width, height, format);
    }

    static PixelImage Filled(int width, int height)
    {
        var mask = new byte[width * height];
        mask.AsSpan().Fill(255);
        return PixelImage.FromPixels(mask, width, height, PixelFormat.Gray8);
    }
}
