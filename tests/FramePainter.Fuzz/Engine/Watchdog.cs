using System.Diagnostics;

namespace FramePainter.Fuzz.Engine;

/// <summary>Ends the process when an input neither ends nor fails, and keeps that input: nothing else could end it.</summary>
internal sealed class Watchdog : IDisposable
{
    static readonly TimeSpan s_patience = TimeSpan.FromMinutes(1);

    readonly string _find;
    readonly Timer _timer;
    byte[]? _input;
    long _since;

    /// <param name="find">Where the input goes.</param>
    public Watchdog(string find)
    {
        _find = find;
        _timer = new Timer(_ => Look(), null, s_patience, s_patience / 4);
    }

    /// <summary>An input begins.</summary>
    public void Begin(byte[] input)
    {
        _since = Stopwatch.GetTimestamp();
        Volatile.Write(ref _input, input);
    }

    public void Dispose() => _timer.Dispose();

    void Look()
    {
        if (Volatile.Read(ref _input) is { } input && Stopwatch.GetElapsedTime(_since) > s_patience)
        {
            File.WriteAllBytes(_find, input);
            Environment.FailFast($"An input does not end; it is kept as {_find}.");
        }
    }
}
