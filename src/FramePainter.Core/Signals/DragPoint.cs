using System.Numerics;

namespace FramePainter;

/// <summary>A drag: what is at one point of the picture is to be at another. Pixels of the picture: x to the right, y down, (0, 0) the outer corner of the top left pixel.</summary>
/// <param name="Source">Where it is, inside the picture.</param>
/// <param name="Target">Where it is to go, inside the picture.</param>
public readonly record struct DragPoint(Vector2 Source, Vector2 Target);
