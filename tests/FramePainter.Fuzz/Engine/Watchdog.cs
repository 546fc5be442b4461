using System.Diagnostics;

namespace FramePainter.Fuzz.Engine;

/// <summary>Ends the process when an input neither ends nor fails, and keeps that input: nothing else could end it.</summary>
internal sealed class Watchdog : IDisposable
{
    /// <summary>Of the processor; a busy machine may let an input wait for long.</summary>
    static readonly TimeSpan s_work = TimeSpan.FromMinutes(1);

    /// <summary>Of the clock, for one that sleeps.</summary>
    static readonly TimeSpan s_patience = TimeSpan.FromMinutes(15);
    static readonly TimeSpan s_period = TimeSpan.FromSeconds(15);

    readonly string _find;
    readonly Timer _timer;
    byte[]? _input;
    long _since;
    TimeSpan _worked;

    /// <param name="find">Where the input goes.</param>
    public Watchdog(string find)
    {
        _find = find;
        _timer = new Timer(_ => Look(), null, s_period, s_period);
    }

    /// <summary>An input begins.</summary>
    public void Begin(byte[] input)
    {
        (_since, _worked) = (Stopwatch.GetTimestamp(), Environment.CpuUsage.TotalTime);
        Volatile.Write(ref _input, input);
    }

    /// <summary>There is no more input.</summary>
    public void End() => Volatile.Write(ref _input, null);

    public void Dispose() => _timer.Dispose();

    void Look()
    {
        if (Volatile.Read(ref _input) is { } input && (Environment.CpuUsage.TotalTime - _worked > s_work || Stopwatch.GetElapsedTime(_since) > s_patience))
        {
            File.WriteAllBytes(_find, input);
            Environment.FailFast($"An input does not end; it is kept as {_find}.");
        }
    }
}
