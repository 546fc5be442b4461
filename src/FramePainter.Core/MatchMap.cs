using System.Numerics;
using System.Numerics.Tensors;

namespace FramePainter;

/// <summary>
/// Where the edited picture looked in the source: attention probabilities of one block and step, averaged over the heads (paper, figure 8).
/// Points are in the pixels of the caller's picture; each lies in a token, a square of the working picture.
/// </summary>
public sealed class MatchMap
{
    readonly float[] _probabilities;
    readonly Vector2 _pictureSize;
    readonly Vector2 _tokenSize;

    /// <summary>Keeps a map.</summary>
    /// <param name="block">The block.</param>
    /// <param name="step">The step.</param>
    /// <param name="width">Tokens of a row.</param>
    /// <param name="height">Rows of tokens.</param>
    /// <param name="probabilities">[width·height edited tokens, width·height source tokens].</param>
    /// <param name="pictureSize">The caller's picture in pixels.</param>
    /// <param name="tokenSize">A token in the caller's pixels.</param>
    internal MatchMap(AttentionBlock block, int step, int width, int height, float[] probabilities, Vector2 pictureSize, Vector2 tokenSize)
    {
        System.Diagnostics.Debug.Assert(probabilities.LongLength == (long)width * height * width * height, "One row of probabilities for each token.");
        (Block, Step, Width, Height) = (block, step, width, height);
        (_probabilities, _pictureSize, _tokenSize) = (probabilities, pictureSize, tokenSize);
    }

    /// <summary>The block it comes from.</summary>
    public AttentionBlock Block { get; }

    /// <summary>The denoising step it comes from, from 0.</summary>
    public int Step { get; }

    /// <summary>Tokens of a row.</summary>
    public int Width { get; }

    /// <summary>Rows of tokens.</summary>
    public int Height { get; }

    /// <summary>The caller's picture in pixels.</summary>
    public Vector2 PictureSize => _pictureSize;

    /// <summary>A token in the caller's pixels; the tokens may reach beyond the picture where it was padded.</summary>
    public Vector2 TokenSize => _tokenSize;

    /// <summary>The attention that a point of the edited picture pays to each token of the source: <see cref="Height"/> rows of <see cref="Width"/>, their sum 1.</summary>
    /// <param name="point">A point of the edited picture.</param>
    /// <exception cref="ArgumentOutOfRangeException">The point lies outside the picture.</exception>
    public ReadOnlySpan<float> Heat(Vector2 point) => Row(TokenOf(point));

    /// <summary>The source point that a point of the edited picture attends to most: the middle of the token; the first of several equal ones.</summary>
    /// <param name="point">A point of the edited picture.</param>
    /// <exception cref="ArgumentOutOfRangeException">The point lies outside the picture.</exception>
    public Vector2 Match(Vector2 point) => Middle(Best(TokenOf(point)));

    /// <summary>From each token of the edited picture the way to the source token it attends to most, in pixels: <see cref="Height"/> rows of <see cref="Width"/>.</summary>
    public Vector2[] Flow()
    {
        var flow = new Vector2[Width * Height];
        for (var token = 0; token < flow.Length; token++)
        {
            flow[token] = Middle(Best(token)) - Middle(token);
        }

        return flow;
    }

    /// <summary>The number of the token that a point lies in: its place in <see cref="Heat"/> and <see cref="Flow"/>.</summary>
    /// <param name="point">A point of the picture.</param>
    /// <exception cref="ArgumentOutOfRangeException">The point lies outside the picture.</exception>
    public int TokenAt(Vector2 point) => TokenOf(point);

    ReadOnlySpan<float> Row(int token) => _probabilities.AsSpan(token * Width * Height, Width * Height);

    int Best(int token) => TensorPrimitives.IndexOfMax(Row(token));

    Vector2 Middle(int token) => (new Vector2(token % Width, token / Width) + new Vector2(0.5f)) * _tokenSize;

    int TokenOf(Vector2 point)
    {
        if (!(point.X >= 0 && point.Y >= 0 && point.X < _pictureSize.X && point.Y < _pictureSize.Y))
        {
            throw new ArgumentOutOfRangeException(nameof(point), point, $"The picture has {_pictureSize.X}×{_pictureSize.Y} pixels.");
        }

        var (x, y) = ((int)(point.X / _tokenSize.X), (int)(point.Y / _tokenSize.Y));
        return (Math.Min(y, Height - 1) * Width) + Math.Min(x, Width - 1);
    }
}
