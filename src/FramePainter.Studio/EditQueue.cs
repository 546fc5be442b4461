using Microsoft.Extensions.Logging;

namespace FramePainter.Studio;

/// <summary>
/// Runs edits one after the other on a thread of its own: one uses every core by itself. So many may wait and no more. The editor of the last
/// session stays warm, so that its next edit pays for little but denoising.
/// </summary>
sealed class EditQueue : IDisposable
{
    // Tokens squared are what a map takes: 4 MB at most.
    const int MaxMapTokens = 1024;

    readonly Painter _painter;
    readonly int _length;
    readonly ILogger _log;
    readonly Thread _thread;
    readonly object _gate = new();
    readonly List<EditJob> _waiting = [];
    EditJob? _running;
    EditSession? _editor;
    StudioSession? _editorOf;
    bool _closed;

    public EditQueue(Painter painter, int length, ILogger log)
    {
        (_painter, _length, _log) = (painter, length, log);
        _thread = new Thread(Work) { IsBackground = true, Name = "FramePainter Studio" };
        _thread.Start();
    }

    /// <summary>Edits that wait.</summary>
    public int Count
    {
        get
        {
            lock (_gate)
                return _waiting.Count;
        }
    }

    /// <summary>Puts an edit at the end.</summary>
    /// <exception cref="Problem">The queue is full.</exception>
    public void Add(EditJob job)
    {
        lock (_gate)
        {
            if (_closed || _waiting.Count >= _length)
                throw Problem.QueueFull();

            job.Cancelled = Remove;
            _waiting.Add(job);
            Monitor.Pulse(_gate);
        }

        TellPlaces();
    }

    /// <summary>Cancels everything and waits for the edit that runs.</summary>
    public void Dispose()
    {
        EditJob[] jobs;
        lock (_gate)
        {
            _closed = true;
            jobs = [.. _waiting, .. _running is null ? [] : new[] { _running }];
            Monitor.Pulse(_gate);
        }

        foreach (var job in jobs)
            job.Cancel();
        _thread.Join();
        _editor?.Dispose();
    }

    void Work()
    {
        while (Next() is { } job)
        {
            TellPlaces();
            job.Run(() => EditorOf(job.Session), () => CaptureFor(job.Session.Picture, job.State.Steps), _log);
            lock (_gate)
                _running = null;
        }
    }

    EditSession EditorOf(StudioSession session)
    {
        if (_editorOf != session)
        {
            _editor?.Dispose();
            // Opening may fail, and the one before is gone.
            (_editor, _editorOf) = (null, null);
            (_editor, _editorOf) = (_painter.Open(session.Picture), session);
        }

        return _editor!;
    }

    EditJob? Next()
    {
        lock (_gate)
        {
            while (_waiting.Count == 0)
            {
                if (_closed)
                    return null;
                Monitor.Wait(_gate);
            }

            _running = _waiting[0];
            _waiting.RemoveAt(0);
            return _running;
        }
    }

    void Remove(EditJob job)
    {
        lock (_gate)
        {
            if (!_waiting.Remove(job))
                return;
        }

        job.Drop();
        TellPlaces();
    }

    void TellPlaces()
    {
        EditJob[] jobs;
        int before;
        lock (_gate)
            (jobs, before) = ([.. _waiting], _running is null ? 0 : 1);

        foreach (var job in jobs)
            job.Wait(before++);
    }

    /// <summary>The finest map that is not too large, half-way through: shapes have found their place by then, and attention still looks around.</summary>
    MatchCapture? CaptureFor(PixelImage picture, int steps)
    {
        var pixels = (long)Rounded(picture.Width) * Rounded(picture.Height);
        var fitting = _painter.AttentionBlocks.Select(b => b.PixelsPerToken).Where(side => pixels / ((long)side * side) <= MaxMapTokens).ToArray();
        return fitting.Length == 0 ? null : MatchCapture.AtResolution(fitting.Min(), steps / 2);
    }

    int Rounded(int side) => Math.Max(_painter.Grid, (side + (_painter.Grid / 2)) / _painter.Grid * _painter.Grid);
}
