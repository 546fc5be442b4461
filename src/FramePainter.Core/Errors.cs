using FramePainter.Weights;

namespace FramePainter;

/// <summary>The root of every error that FramePainter raises on purpose. The message names the thing at fault and what to do about it.</summary>
public abstract class FramePainterException : Exception
{
    /// <summary>Creates the error.</summary>
    /// <param name="message">What is wrong, with the names and figures involved.</param>
    /// <param name="inner">The error beneath, if any.</param>
    protected FramePainterException(string message, Exception? inner = null)
        : base(message, inner)
    {
    }
}

/// <summary>A checkpoint, or a file of one, cannot be used: missing, malformed, of another model, or with tensors that do not fit.</summary>
public sealed class CheckpointException : FramePainterException
{
    /// <summary>Creates the error.</summary>
    /// <param name="message">What is wrong and what was expected.</param>
    /// <param name="file">The file or folder at fault.</param>
    /// <param name="tensor">The tensor at fault, if it is about one.</param>
    /// <param name="inner">The error beneath, if any.</param>
    public CheckpointException(string message, string? file = null, string? tensor = null, Exception? inner = null)
        : base(message, inner)
    {
        File = file;
        Tensor = tensor;
    }

    /// <summary>The file or folder at fault, where one is known.</summary>
    public string? File { get; }

    /// <summary>The tensor at fault, where the error is about a single one.</summary>
    public string? Tensor { get; }

    /// <summary>Every tensor that does not fit, where the checkpoint was read but does not match its configs.</summary>
    public CheckpointReport? Report { get; init; }
}

/// <summary>A signal (sketch, coarse edit, ...) cannot be used with this picture or this model.</summary>
public sealed class SignalException : FramePainterException
{
    /// <summary>Creates the error.</summary>
    /// <param name="message">What is wrong with the signal and what would be accepted.</param>
    /// <param name="inner">The error beneath, if any.</param>
    public SignalException(string message, Exception? inner = null)
        : base(message, inner)
    {
    }
}

/// <summary>A text that should be the metadata of an edit is damaged, of another format, or holds values out of range.</summary>
public sealed class MetadataException : FramePainterException
{
    /// <summary>Creates the error.</summary>
    /// <param name="message">What is wrong with the text.</param>
    /// <param name="inner">The error beneath, if any.</param>
    public MetadataException(string message, Exception? inner = null)
        : base(message, inner)
    {
    }
}

/// <summary>A picture cannot be used: empty, too large, or with a buffer that does not fit its size.</summary>
public sealed class ImageException : FramePainterException
{
    /// <summary>Creates the error.</summary>
    /// <param name="message">What is wrong with the picture.</param>
    /// <param name="inner">The error beneath, if any.</param>
    public ImageException(string message, Exception? inner = null)
        : base(message, inner)
    {
    }
}

/// <summary>No device could be used; the message lists each one seen and why it was passed over.</summary>
public sealed class DeviceException : FramePainterException
{
    /// <summary>Creates the error.</summary>
    /// <param name="message">The devices seen and why each was passed over.</param>
    /// <param name="inner">The error beneath, if any.</param>
    public DeviceException(string message, Exception? inner = null)
        : base(message, inner)
    {
    }
}

/// <summary>An edit of this size cannot be planned or does not fit the memory allowed.</summary>
public sealed class PlanException : FramePainterException
{
    /// <summary>Creates the error.</summary>
    /// <param name="message">The size, the memory asked for and the memory allowed.</param>
    /// <param name="inner">The error beneath, if any.</param>
    public PlanException(string message, Exception? inner = null)
        : base(message, inner)
    {
    }
}

/// <summary>An option has a value outside its range.</summary>
public sealed class OptionException : FramePainterException
{
    /// <summary>Creates the error.</summary>
    /// <param name="option">The option's name.</param>
    /// <param name="message">Its value and the range that is accepted.</param>
    public OptionException(string option, string message)
        : base(message) => Option = option;

    /// <summary>The name of the option at fault.</summary>
    public string Option { get; }
}
