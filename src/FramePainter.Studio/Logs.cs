using Microsoft.Extensions.Logging;

namespace FramePainter.Studio;

/// <summary>All that Studio logs. Addresses and headers are not among it: they hold the token.</summary>
static partial class Logs
{
    [LoggerMessage(Level = LogLevel.Information, Message = "Studio listens on 127.0.0.1:{Port}.")]
    public static partial void Listening(ILogger log, int port);

    [LoggerMessage(Level = LogLevel.Information, Message = "Edit {Number} done: {Steps} steps in {Seconds:0.00} s.")]
    public static partial void Edited(ILogger log, int number, int steps, double seconds);

    [LoggerMessage(Level = LogLevel.Information, Message = "Edit {Number} cancelled.")]
    public static partial void Cancelled(ILogger log, int number);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Edit {Number} failed.")]
    public static partial void Failed(ILogger log, int number, Exception error);
}
