using System.Collections.Concurrent;

namespace FramePainter.Native;

/// <summary>A loaded painter and the edits that it runs.</summary>
sealed class OpenPainter(Painter painter)
{
    readonly HashSet<CancellationTokenSource> _running = [];

    public Painter Painter => painter;

    /// <summary>An edit begins that can be cancelled.</summary>
    public CancellationTokenSource Enter()
    {
        var source = new CancellationTokenSource();
        lock (_running)
        {
            _running.Add(source);
        }

        return source;
    }

    /// <summary>It ended.</summary>
    public void Leave(CancellationTokenSource source)
    {
        lock (_running)
        {
            _running.Remove(source);
        }

        source.Dispose();
    }

    /// <summary>Cancels what runs now.</summary>
    public void Cancel()
    {
        lock (_running)
        {
            foreach (var source in _running)
            {
                source.Cancel();
            }
        }
    }
}

/// <summary>Handles of painters. They are numbers, never addresses: one that is stale or made up is found out and nothing is read through it.</summary>
static class Painters
{
    static readonly ConcurrentDictionary<nint, OpenPainter> s_open = new();
    static long s_last;

    public static nint Add(Painter painter)
    {
        var handle = (nint)Interlocked.Increment(ref s_last);
        s_open[handle] = new OpenPainter(painter);
        return handle;
    }

    /// <summary>The painter of a handle.</summary>
    /// <exception cref="AbiException">There is none.</exception>
    public static OpenPainter Of(nint handle) => s_open.TryGetValue(handle, out var open) ? open : throw Unknown(handle);

    /// <summary>Takes a painter out: its handle is stale from now on.</summary>
    /// <exception cref="AbiException">There is none.</exception>
    public static OpenPainter Take(nint handle) => s_open.TryRemove(handle, out var open) ? open : throw Unknown(handle);

    static AbiException Unknown(nint handle) => handle == 0
        ? new(Status.Argument, "painter is NULL; give what fp_load gave.")
        : new(Status.Handle, "painter is no loaded one: it was freed already, or did not come from fp_load.");
}
