using Microsoft.Extensions.Logging;

namespace FramePainter;

/// <summary>What a painter's log is told about devices.</summary>
internal static partial class DeviceLog
{
    [LoggerMessage(1, LogLevel.Information, "Edits run on {Device}.")]
    public static partial void Chosen(ILogger log, string device);

    [LoggerMessage(2, LogLevel.Warning, "Device {Device} is passed over: {Reason}")]
    public static partial void PassedOver(ILogger log, string device, string reason);

    [LoggerMessage(3, LogLevel.Warning, "Edits run on {Device}, not on {Wanted}.")]
    public static partial void FellBack(ILogger log, string device, string wanted);
}
