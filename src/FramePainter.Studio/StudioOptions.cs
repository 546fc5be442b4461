using Microsoft.Extensions.Logging;

namespace FramePainter.Studio;

/// <summary>How a Studio listens and what it accepts. The page is for one person at one computer; the limits keep a mistake from taking it down.</summary>
public sealed record StudioOptions
{
    /// <summary>The port on 127.0.0.1, 0 to 65535; 0 lets the system choose. Default 0.</summary>
    public int Port { get; init; }

    /// <summary>Bytes that one request may carry, 1 KiB to 1 GiB. Default 32 MiB.</summary>
    public long MaxUploadBytes { get; init; } = 32L << 20;

    /// <summary>Pixels that a picture may have, 1 to 2²⁸; told from its header, before it is decoded. Default 2²⁴, as of 4096×4096.</summary>
    public int MaxPixels { get; init; } = 1 << 24;

    /// <summary>Edits that wait for the one that runs, 1 to 1000. Default 8.</summary>
    public int QueueLength { get; init; } = 8;

    /// <summary>Pictures open at once, one for each tab, 1 to 1000. Default 16: the one unused for longest makes room.</summary>
    public int MaxSessions { get; init; } = 16;

    /// <summary>Results kept for each picture, 1 to 1000; the oldest makes room. Default 24.</summary>
    public int HistoryLength { get; init; } = 24;

    /// <summary>How long after its last tab is gone an edit is cancelled; a reload takes less. Default 5 seconds.</summary>
    public TimeSpan Grace { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Offers the sample pictures of the embedded toy model. Default: not; they suit no other model.</summary>
    public bool ToySamples { get; init; }

    /// <summary>Where log messages go; the token is in none of them. Default: nowhere.</summary>
    public ILoggerProvider? Log { get; init; }

    /// <summary>Checks every value against its range.</summary>
    /// <exception cref="OptionException">A value is out of range.</exception>
    internal void Validate()
    {
        Require(Port is >= 0 and <= 65535, nameof(Port), Port, "from 0 to 65535");
        Require(MaxUploadBytes is >= 1 << 10 and <= 1 << 30, nameof(MaxUploadBytes), MaxUploadBytes, "from 1 KiB to 1 GiB");
        Require(MaxPixels is >= 1 and <= PixelImage.MaxPixels, nameof(MaxPixels), MaxPixels, "from 1 to 2²⁸");
        Require(QueueLength is >= 1 and <= 1000, nameof(QueueLength), QueueLength, "from 1 to 1000");
        Require(MaxSessions is >= 1 and <= 1000, nameof(MaxSessions), MaxSessions, "from 1 to 1000");
        Require(HistoryLength is >= 1 and <= 1000, nameof(HistoryLength), HistoryLength, "from 1 to 1000");
        Require(Grace >= TimeSpan.Zero && Grace <= TimeSpan.FromHours(1), nameof(Grace), Grace, "from none to an hour");
    }

    static void Require<T>(bool holds, string name, T value, string range)
    {
        if (!holds)
            throw new OptionException(name, string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{name} is {value}; it must be {range}."));
    }
}
