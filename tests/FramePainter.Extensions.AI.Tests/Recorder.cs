using Microsoft.Extensions.Logging;

namespace FramePainter.Extensions.AI.Tests;

/// <summary>Keeps what is logged.</summary>
sealed class Recorder : ILogger<FramePainterImageGenerator>, ILoggerProvider
{
    readonly List<(LogLevel Level, string Event, string Text)> _entries = [];

    public IReadOnlyList<(LogLevel Level, string Event, string Text)> Entries => _entries;

    public ILogger CreateLogger(string categoryName) => this;

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        lock (_entries)
        {
            _entries.Add((logLevel, eventId.Name ?? "", formatter(state, exception)));
        }
    }

    public void Dispose()
    {
    }
}
