using System.Numerics;

namespace FramePainter;

/// <summary>
/// The picture part of a signal as metadata keeps it: vector strokes, a mask with its move, or the picture itself. Drag points are kept beside it
/// (<see cref="EditMetadata.Points"/>). <see cref="EditMetadata.ToSignal"/> makes the signal again.
/// </summary>
public sealed class SignalRecord
{
    /// <summary>Points of all strokes together beyond which the drawn sketch, which gives the same edit, takes their place.</summary>
    internal const int MaxStrokePoints = 1 << 16;

    SignalRecord(SignalRecordKind kind) => Kind = kind;

    internal SignalRecordKind Kind { get; }

    /// <summary>Strokes of a vector sketch.</summary>
    internal IReadOnlyList<Stroke> Strokes { get; private init; } = [];

    /// <summary>Size of the picture that <see cref="Strokes"/> are in.</summary>
    internal (int Width, int Height) StrokeSize { get; private init; }

    /// <summary>The sketch or the coarse edit, or the mask of a move.</summary>
    internal PixelImage? Picture { get; private init; }

    /// <summary>The move of a masked region.</summary>
    internal Matrix3x2 Transform { get; private init; }

    internal static SignalRecord None { get; } = new(SignalRecordKind.None);

    internal static SignalRecord OfStrokes(IReadOnlyList<Stroke> strokes, int width, int height) =>
        new(SignalRecordKind.Strokes) { Strokes = strokes, StrokeSize = (width, height) };

    internal static SignalRecord OfPicture(SignalRecordKind kind, PixelImage picture) => new(kind) { Picture = picture };

    internal static SignalRecord OfMove(PixelImage mask, Matrix3x2 transform) => new(SignalRecordKind.Move) { Picture = mask, Transform = transform };

    /// <summary>What metadata keeps of a signal.</summary>
    internal static SignalRecord Of(Signal signal) => signal switch
    {
        SketchSignal { Vectors: { } vectors } sketch when vectors.Sum(s => (long)s.Points.Count) <= MaxStrokePoints => OfStrokes(vectors, sketch.Strokes.Width, sketch.Strokes.Height),
        SketchSignal sketch => OfPicture(SignalRecordKind.Sketch, sketch.Strokes),
        CoarseSignal { Move: var (mask, transform) } => OfMove(mask, transform),
        CoarseSignal coarse => OfPicture(SignalRecordKind.Coarse, coarse.Picture),
        CombinedSignal both => Of(both.Picture),
        _ => None,
    };

    /// <summary>The signal again, without drag points; null when it had nothing else.</summary>
    internal Signal? ToSignal(PixelImage image, CancellationToken cancel) => Kind switch
    {
        SignalRecordKind.Strokes => Signal.Sketch(Strokes, StrokeSize.Width, StrokeSize.Height, cancel),
        SignalRecordKind.Sketch => Signal.Sketch(Picture!),
        SignalRecordKind.Coarse => Signal.Coarse(Picture!),
        SignalRecordKind.Move => Signal.Move(image, Picture!, Transform, cancel),
        _ => null,
    };
}

/// <summary>What a <see cref="SignalRecord"/> holds.</summary>
internal enum SignalRecordKind
{
    /// <summary>Nothing: the signal was drag points alone.</summary>
    None,

    /// <summary>Vector strokes.</summary>
    Strokes,

    /// <summary>A sketch as a picture.</summary>
    Sketch,

    /// <summary>A coarse edit as a picture.</summary>
    Coarse,

    /// <summary>A mask and a transform.</summary>
    Move,
}
