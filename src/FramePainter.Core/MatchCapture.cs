namespace FramePainter;

/// <summary>A place in the U-Net where the edited frame looks at the source: one spatial transformer block.</summary>
/// <param name="Index">Its number, from the first block down through the middle to the last one up.</param>
/// <param name="Name">The module's name in the weights.</param>
/// <param name="PixelsPerToken">Side of the square of the working picture that one token stands for.</param>
public sealed record AttentionBlock(int Index, string Name, int PixelsPerToken);

/// <summary>
/// Which attention map to keep from an edit (paper, figure 8). Computing it costs time in every step and memory for every pair of tokens of all
/// images and heads; edits without capture do not pay for it, and the picture is the same either way.
/// </summary>
public sealed record MatchCapture
{
    MatchCapture(int? block, int? pixelsPerToken, int step) => (Block, PixelsPerToken, Step) = (block, pixelsPerToken, step);

    /// <summary>The block's number, or null when it is chosen by <see cref="PixelsPerToken"/>.</summary>
    public int? Block { get; }

    /// <summary>The resolution asked for, or null.</summary>
    public int? PixelsPerToken { get; }

    /// <summary>The denoising step, from 0.</summary>
    public int Step { get; }

    /// <summary>The map of one block of <see cref="Painter.AttentionBlocks"/>.</summary>
    /// <param name="block">Its number.</param>
    /// <param name="step">The denoising step, from 0.</param>
    public static MatchCapture At(int block, int step) => new(block, null, step);

    /// <summary>The map of the last block of a resolution.</summary>
    /// <param name="pixelsPerToken">Side in pixels that one token stands for: 8, 16, 32 for SVD.</param>
    /// <param name="step">The denoising step, from 0.</param>
    public static MatchCapture AtResolution(int pixelsPerToken, int step) => new(null, pixelsPerToken, step);
}
