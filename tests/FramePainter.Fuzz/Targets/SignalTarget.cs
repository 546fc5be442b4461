using System.Numerics;
using System.Runtime.InteropServices;
using FramePainter.Fuzz.Engine;

namespace FramePainter.Fuzz.Targets;

/// <summary>Strokes, points, masks, transforms and sketches of odd sizes, made of the input's bytes: the first says of what, then come sizes and floats.</summary>
internal sealed class SignalTarget : IFuzzTarget
{
    public string Name => "signal";

    public IEnumerable<byte[]> Seeds => Enumerable.Range(0, 6).Select(kind => (byte[])[(byte)kind, 9, 7, .. MemoryMarshal.AsBytes<float>([1, 0, 0, 1, 2, 3, 4, 5.5f, 6, 7])]);

    public IReadOnlyList<string> Scope { get; } = ["FramePainter.Stroke", "FramePainter.StrokeRasterizer", "FramePainter.CoarseEdit", "FramePainter.SketchExtractor", "FramePainter.Signal", "FramePainter.PixelImage"];

    public IReadOnlyList<string> Words { get; } = ["\0\0\u0080\u007f", "\0\0\0\0"];

    public void Run(ReadOnlySpan<byte> input)
    {
        if (input.Length < 3)
        {
            return;
        }

        var (kind, width, height) = (input[0] % 6, 1 + (input[1] % 32), 1 + (input[2] % 32));
        var bytes = input[3..];
        var floats = MemoryMarshal.Cast<byte, float>(bytes[..(bytes.Length / 4 * 4)]).ToArray();
        var points = Enumerable.Range(0, floats.Length / 2).Select(i => new Vector2(floats[2 * i], floats[(2 * i) + 1])).ToArray();
        try
        {
            switch (kind)
            {
                case 0:
                    Signal.Sketch([new Stroke(points, floats.Length > 0 ? floats[0] : 1)], width, height);
                    break;
                case 1:
                    Signal.Points(points.Chunk(2).Where(p => p.Length == 2).Select(p => new DragPoint(p[0], p[1])));
                    break;
                case 2 when floats.Length >= 6:
                    CoarseEdit.Move(Picture(bytes, width, height, 3), Picture(bytes, width, height, 1), new Matrix3x2(floats[0], floats[1], floats[2], floats[3], floats[4], floats[5]));
                    break;
                case 3:
                    SketchExtractor.FromPicture(Picture(bytes, width, height, 3), floats.Length > 0 ? floats[0] : 0.1f);
                    break;
                case 4:
                    SketchExtractor.FromFlow(points, width, height, 0.1f);
                    break;
                case 5:
                    PixelImage.FromPixels(bytes, input[1], input[2], PixelFormat.Rgb24);
                    break;
            }
        }
        catch (ArgumentException)
        {
            // Arguments out of the documented range.
        }
    }

    static PixelImage Picture(ReadOnlySpan<byte> bytes, int width, int height, int channels)
    {
        var pixels = new byte[width * height * channels];
        bytes[..Math.Min(bytes.Length, pixels.Length)].CopyTo(pixels);
        return PixelImage.FromPixels(pixels, width, height, channels == 1 ? PixelFormat.Gray8 : PixelFormat.Rgb24);
    }
}
