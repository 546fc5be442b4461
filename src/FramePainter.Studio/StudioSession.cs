using System.Security.Cryptography;

namespace FramePainter.Studio;

/// <summary>One picture in one tab: its edits, and the tabs that watch it.</summary>
sealed class StudioSession(PixelImage picture, StudioOptions options, TimeProvider clock) : IDisposable
{
    readonly Lock _lock = new();
    readonly List<FinishedEdit> _history = [];
    TaskCompletionSource _change = NewChange();
    EditJob? _job;
    ITimer? _farewell;
    int _watchers;
    int _numbers;

    /// <summary>Its name on the wire, not to be guessed.</summary>
    public string Id { get; } = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(16));

    public PixelImage Picture => picture;

    /// <summary>When it was last asked for anything.</summary>
    public long LastUsed { get; private set; } = clock.GetTimestamp();

    /// <summary>Whether a tab watches it or an edit is under way.</summary>
    public bool Busy
    {
        get
        {
            lock (_lock)
                return _watchers > 0 || _job is { Ended: false };
        }
    }

    /// <summary>Ends when anything changed since it was asked for.</summary>
    public Task Changed => Volatile.Read(ref _change).Task;

    public void Touch() => LastUsed = clock.GetTimestamp();

    /// <summary>Makes an edit the session's one.</summary>
    /// <exception cref="Problem">Another one has not ended.</exception>
    public EditJob Begin(Signal signal, EditOptions edit)
    {
        lock (_lock)
        {
            if (_job is { Ended: false })
                throw Problem.Editing();

            return _job = new EditJob(this, ++_numbers, signal, edit);
        }
    }

    /// <summary>Takes an edit back that found no place.</summary>
    public void Withdraw(EditJob job)
    {
        lock (_lock)
        {
            if (_job == job)
                _job = null;
        }
    }

    /// <summary>The edit that has not ended, or null.</summary>
    public EditJob? Running
    {
        get
        {
            lock (_lock)
                return _job is { Ended: false } job ? job : null;
        }
    }

    /// <summary>The newest preview of the last edit.</summary>
    /// <exception cref="Problem">There is none.</exception>
    public byte[] Preview
    {
        get
        {
            lock (_lock)
                return _job?.Preview ?? throw Problem.NotFound("preview");
        }
    }

    /// <summary>Keeps a result; the oldest makes room.</summary>
    public void Keep(FinishedEdit edit)
    {
        lock (_lock)
        {
            if (_history.Count == options.HistoryLength)
                _history.RemoveAt(0);
            _history.Add(edit);
        }
    }

    /// <summary>A result by its number.</summary>
    /// <exception cref="Problem">There is none, or not any more.</exception>
    public FinishedEdit Find(int number)
    {
        lock (_lock)
            return _history.Find(e => e.Number == number) ?? throw Problem.NotFound("result");
    }

    public SessionState State
    {
        get
        {
            lock (_lock)
                return new SessionState(Id, picture.Width, picture.Height, _job?.State, [.. _history.Select(e => e.State)]);
        }
    }

    /// <summary>Tells whoever watches that there is a new state. Nobody is waited for: a slow reader skips states.</summary>
    public void Announce() => Interlocked.Exchange(ref _change, NewChange()).TrySetResult();

    /// <summary>A tab begins to watch. When the last one has been gone for a while, its edit is cancelled.</summary>
    public IDisposable Watch()
    {
        lock (_lock)
        {
            _watchers++;
            _farewell?.Dispose();
            _farewell = null;
        }

        return new Watcher(this);
    }

    public void Dispose()
    {
        Running?.Cancel();
        lock (_lock)
        {
            _farewell?.Dispose();
            _farewell = null;
        }
    }

    static TaskCompletionSource NewChange() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    void Leave()
    {
        lock (_lock)
        {
            if (--_watchers == 0)
                _farewell = clock.CreateTimer(_ => Abandon(), null, options.Grace, Timeout.InfiniteTimeSpan);
        }
    }

    void Abandon()
    {
        EditJob? job;
        lock (_lock)
            job = _watchers == 0 ? _job : null;
        job?.Cancel();
    }

    sealed class Watcher(StudioSession session) : IDisposable
    {
        StudioSession? _session = session;

        public void Dispose() => Interlocked.Exchange(ref _session, null)?.Leave();
    }
}

/// <summary>A result that is kept: files, not pixels, and the map of matches.</summary>
sealed record FinishedEdit(int Number, byte[] Png, MatchMap? Matches, FinishedState State);
