using Microsoft.Extensions.Logging;

namespace FramePainter.Extensions.AI;

/// <summary>The generator's events.</summary>
static partial class Log
{
    [LoggerMessage(EventId = 1, EventName = "EditStarted", Level = LogLevel.Information, Message = "Edit of {Width}x{Height} begins: {Count} picture(s), {Steps} steps, seed {Seed}")]
    public static partial void EditStarted(ILogger logger, int width, int height, int count, int steps, long seed);

    [LoggerMessage(EventId = 2, EventName = "EditCompleted", Level = LogLevel.Information, Message = "Edit with seed {Seed} done in {Seconds:F2} s")]
    public static partial void EditCompleted(ILogger logger, long seed, double seconds);

    [LoggerMessage(EventId = 3, EventName = "EditCancelled", Level = LogLevel.Information, Message = "Edit cancelled")]
    public static partial void EditCancelled(ILogger logger);

    [LoggerMessage(EventId = 4, EventName = "EditFailed", Level = LogLevel.Error, Message = "Edit failed")]
    public static partial void EditFailed(ILogger logger, Exception exception);

    [LoggerMessage(EventId = 5, EventName = "EditWarning", Level = LogLevel.Warning, Message = "{Warning}")]
    public static partial void Warning(ILogger logger, string warning);

    [LoggerMessage(EventId = 6, EventName = "PromptIgnored", Level = LogLevel.Warning, Message = "FramePainter reads no text: the prompt has no effect, the signal alone says what changes")]
    public static partial void PromptIgnored(ILogger logger);

    [LoggerMessage(EventId = 7, EventName = "ModelLoaded", Level = LogLevel.Information, Message = "Model {Model} loaded in {Seconds:F2} s: {WeightBytes} bytes of weights on {Device}")]
    public static partial void ModelLoaded(ILogger logger, string model, double seconds, long weightBytes, string device);
}
