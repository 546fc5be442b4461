namespace FramePainter;

/// <summary>How a picture is brought to the size that the model works in.</summary>
public enum Fit
{
    /// <summary>The whole picture is resized to the working size, whatever its aspect ratio. What the original does.</summary>
    Stretch,

    /// <summary>The aspect ratio is kept; the rest, at the right or at the bottom, is filled by repeating the last column or row, and is cut off again from the result.</summary>
    Pad,
}
