using System.Buffers.Binary;
using FramePainter.Fuzz.Engine;
using FramePainter.Imaging;

namespace FramePainter.Fuzz.Targets;

/// <summary>Encoded pictures. The decoder itself is native and not instrumented: what is guided is our code around it.</summary>
internal sealed class PictureTarget : IFuzzTarget
{
    public string Name => "picture";

    public IEnumerable<byte[]> Seeds
    {
        get
        {
            var picture = PixelImage.FromPixels([.. Enumerable.Range(0, 5 * 4 * 3).Select(i => (byte)(i * 11))], 5, 4, PixelFormat.Rgb24);
            foreach (var format in Enum.GetValues<ImageFormat>())
            {
                using var stream = new MemoryStream();
                ImageFile.Save(picture, stream, format);
                yield return stream.ToArray();
            }
        }
    }

    public IReadOnlyList<string> Scope { get; } = ["FramePainter.Imaging.Decoder", "FramePainter.Imaging.Signature", "FramePainter.Imaging.Orientation"];

    public IReadOnlyList<string> Words { get; } = ["IHDR", "IDAT", "IEND", "tEXt", "iTXt", "eXIf", "Exif\0\0", "MM\0*", "II*\0", "JFIF", "RIFF", "WEBP", "VP8X", "VP8 ", "GIF89a", "BM"];

    public void Run(ReadOnlySpan<byte> input)
    {
        var picture = ImageFile.Load(input);
        if (picture.Width <= 0 || picture.Height <= 0)
        {
            throw new InvalidDataException($"A picture of {picture.Width}x{picture.Height} was let through.");
        }
    }
}
