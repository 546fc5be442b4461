using System.Diagnostics.CodeAnalysis;

namespace FramePainter.Studio;

/// <summary>The pictures that are open, found by their names; so many and no more.</summary>
sealed class SessionTable(StudioOptions options, TimeProvider clock) : IDisposable
{
    readonly Lock _lock = new();
    readonly Dictionary<string, StudioSession> _sessions = new(StringComparer.Ordinal);

    /// <summary>Opens a picture. The session unused for longest, without tab and edit, makes room.</summary>
    /// <exception cref="Problem">All places are in use.</exception>
    [SuppressMessage("Reliability", "CA2000:Dispose objects before losing scope", Justification = "The table owns its sessions.")]
    public StudioSession Open(PixelImage picture)
    {
        lock (_lock)
        {
            if (_sessions.Count == options.MaxSessions)
                Close((_sessions.Values.Where(s => !s.Busy).MinBy(s => s.LastUsed) ?? throw Problem.TooManySessions()).Id);

            var session = new StudioSession(picture, options, clock);
            _sessions.Add(session.Id, session);
            return session;
        }
    }

    /// <summary>A session by its name.</summary>
    /// <exception cref="Problem">There is none.</exception>
    public StudioSession Find(string id)
    {
        lock (_lock)
        {
            var session = _sessions.GetValueOrDefault(id) ?? throw Problem.NotFound("session");
            session.Touch();
            return session;
        }
    }

    /// <summary>Forgets a session and cancels its edit.</summary>
    public void Close(string id)
    {
        lock (_lock)
        {
            if (_sessions.Remove(id, out var session))
                session.Dispose();
        }
    }

    public void Dispose()
    {
        lock (_lock)
        {
            foreach (var session in _sessions.Values)
                session.Dispose();
            _sessions.Clear();
        }
    }
}
