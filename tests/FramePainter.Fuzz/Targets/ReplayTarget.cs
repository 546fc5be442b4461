using System.IO.Hashing;
using System.Text;
using FramePainter.Fuzz.Engine;
using FramePainter.Imaging;
using FramePainter.Toy;

namespace FramePainter.Fuzz.Targets;

/// <summary>
/// A picture file that says how it was made, replayed by the toy: the file's text is read, the signal made again, the edit begun. Most edits are cancelled
/// at their first report; one of some hundreds, if it is small, goes to its end.
/// </summary>
internal sealed class ReplayTarget : IFuzzTarget, IDisposable
{
    const uint OneInSoMany = 256;
    const int MostSteps = 2;

    static readonly PixelImage s_picture = ImageFile.Load(ToyModel.Samples[0].Source.Span).ToRgb();
    readonly Painter _painter = Painter.Load(new PainterOptions { Model = ToyModel.Folder, Device = Device.Cpu, Threads = 1, HashModel = true });
    readonly byte[] _plain = Encode(PixelImage.FromPixels(new byte[12], 2, 2, PixelFormat.Rgb24));

    public string Name => "replay";

    /// <summary>The first byte says what follows: the text (0) or a whole file (1).</summary>
    public IEnumerable<byte[]> Seeds
    {
        get
        {
            var mask = new byte[s_picture.Width * s_picture.Height];
            mask.AsSpan(700, 900).Fill(255);
            var sketch = Signal.Sketch([new Stroke([new(3, 4), new(40.5f, 20)], 2.5f), new Stroke([new(33, 44)], 4)], s_picture.Width, s_picture.Height);
            Signal[] signals =
            [
                sketch,
                Signal.Sketch(ImageFile.Load(ToyModel.Samples[0].Sketch.Span)),
                Signal.Move(s_picture, PixelImage.FromPixels(mask, s_picture.Width, s_picture.Height, PixelFormat.Gray8), System.Numerics.Matrix3x2.CreateTranslation(5.5f, -3)),
                Signal.Combine(sketch, Signal.Points([new DragPoint(new(1, 2), new(30, 40))])),
            ];
            foreach (var signal in signals)
            {
                var text = _painter.Edit(s_picture, signal, new EditOptions { Steps = 1 }).Metadata.ToJson();
                yield return [0, .. Encoding.UTF8.GetBytes(text)];
                yield return [1, .. PngText.Insert(_plain, EditFile.Keyword, text)];
            }
        }
    }

    public IReadOnlyList<string> Scope { get; } =
        ["FramePainter.EditMetadata", "FramePainter.SignalRecord", "FramePainter.EditOptions", "FramePainter.Pipeline.ReplayCheck", "FramePainter.Pipeline.SizePlan", "FramePainter.Pipeline.PreparedSignal", "FramePainter.Imaging.PngText", "FramePainter.Imaging.EditFile"];

    public IReadOnlyList<string> Words { get; } =
    [
        .. new MetadataTarget().Words, "\"steps\":1,", "\"seed\":", "\"guidance\":0.5", "\"Pad\"", "\"None\"", "\"Float32\"", "\"refreshDeepFeaturesEvery\":2,", "\"skipUnconditionalBelow\":1.5,",
        "\"kind\":\"Strokes\"", "\"kind\":\"Move\"", "\"transform\":[1,0,0,1,0,0]", "\"size\":[64,64],", "\"size\":[32768,8192],", "\"pointCapacity\":", "tEXt", "zTXt", "iTXt", "IEND", "FramePainter\0",
    ];

    public void Run(ReadOnlySpan<byte> input)
    {
        if (input.Length == 0)
        {
            return;
        }

        var png = input[0] % 2 == 0 ? PngText.Insert(_plain, EditFile.Keyword, Encoding.UTF8.GetString(input[1..]).Replace('\0', ' ')) : input[1..].ToArray();
        if (EditFile.ReadMetadata(png) is not { } metadata)
        {
            return;
        }

        var whole = metadata.Options is { Steps: <= MostSteps, Size: (64, 64) } && Crc32.HashToUInt32(input) % OneInSoMany == 0;
        using var stop = new CancellationTokenSource();
        try
        {
            var result = _painter.Replay(s_picture, metadata, whole ? null : new Stop(stop), stop.Token);
            if (!whole || (result.Edited.Width, result.Edited.Height) != (s_picture.Width, s_picture.Height) || result.Metadata.Options.Steps != metadata.Options.Steps)
            {
                throw new InvalidDataException("The replay is no answer to its metadata.");
            }
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
        }
    }

    public void Dispose() => _painter.Dispose();

    static byte[] Encode(PixelImage picture)
    {
        using var stream = new MemoryStream();
        ImageFile.Save(picture, stream, ImageFormat.Png);
        return stream.ToArray();
    }

    sealed class Stop(CancellationTokenSource source) : IProgress<EditProgress>
    {
        public void Report(EditProgress value) => source.Cancel();
    }
}
