using System.Runtime.ExceptionServices;

namespace FramePainter.Backends.Cpu;

/// <summary>
/// Threads that live as long as the backend and run the tiles of one kernel at a time. The caller works too.
/// Tiles are taken from a shared counter, so that all cores finish together whatever else the machine does;
/// which worker runs a tile never changes a result.
/// A region dispatched from a second thread waits for its turn: cores are never oversubscribed.
/// </summary>
/// <remarks>
/// Between regions a worker spins for some tens of microseconds, the usual distance of two kernels, then parks.
/// Measured on two cores: a region of empty tiles costs 0.1 µs while workers spin and 8 µs when one has to be woken.
/// The caller never waits for a worker that has not begun: a region ends when its tiles are done, and a worker that comes late finds none.
/// </remarks>
internal sealed class WorkerPool : IDisposable
{
    /// <summary>Rounds of 64 pauses that a worker spins before it parks: about 50 µs.</summary>
    const int SpinRounds = 25;

    readonly Lock _turn = new();
    readonly Lock _gate = new();
    readonly Thread[] _threads;
    readonly SemaphoreSlim _wake = new(0);
    readonly ManualResetEventSlim _done = new(false, spinCount: 0);
    IParallelWork? _work;
    CancellationToken _cancel;
    ExceptionDispatchInfo? _failure;
    int _count;
    int _next;
    int _working;
    int _parked;
    int _region;
    bool _open;
    volatile bool _closing;

    /// <summary>Starts the threads: one fewer than there are workers.</summary>
    /// <param name="workers">How many tiles run at once, at least 1.</param>
    /// <param name="start">Starts a thread in place of the system; for tests.</param>
    /// <exception cref="DeviceException">The system refuses a thread; none is left running.</exception>
    public WorkerPool(int workers, Action<Thread>? start = null)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(workers, 1);
        _threads = new Thread[workers - 1];
        for (var i = 0; i < _threads.Length; i++)
        {
            var worker = i + 1;
            _threads[i] = new Thread(() => Loop(worker)) { IsBackground = true, Name = $"FramePainter worker {worker}" };
            try
            {
                (start ?? (thread => thread.Start()))(_threads[i]);
            }
            catch (Exception e) when (e is OutOfMemoryException or ThreadStartException)
            {
                _threads = _threads[..i];
                Dispose();
                throw new DeviceException($"The system refuses thread {worker + 1} of {workers}: {e.Message} Set {nameof(PainterOptions)}.{nameof(PainterOptions.Threads)} to {worker} or fewer, or let this process have more threads or memory (ulimit -u, ulimit -v, the container's limits).", e);
            }
        }
    }

    /// <summary>How many tiles run at once, the caller's included.</summary>
    public int Workers => _threads.Length + 1;

    /// <summary>Runs tiles 0..count−1 and waits for all of them.</summary>
    /// <exception cref="OperationCanceledException">It was cancelled between tiles.</exception>
    public void Run(IParallelWork work, int count, CancellationToken cancel)
    {
        lock (_turn)
        {
            ObjectDisposedException.ThrowIf(_closing, this);
            cancel.ThrowIfCancellationRequested();
            var shared = _threads.Length > 0 && count > 1;
            lock (_gate)
            {
                (_work, _cancel, _count, _next, _failure) = (work, cancel, count, 0, null);
                if (shared)
                {
                    _open = true;
                    _done.Reset();
                    Volatile.Write(ref _region, _region + 1);
                    var wake = Math.Min(_parked, count - 1);
                    if (wake > 0)
                    {
                        _parked -= wake;
                        _wake.Release(wake);
                    }
                }
            }

            Drain(0);
            if (shared)
            {
                WaitWithoutInterruption();
            }

            _work = null;
            _failure?.Throw();
            cancel.ThrowIfCancellationRequested();
        }
    }

    public void Dispose()
    {
        lock (_turn)
        {
            if (_closing)
            {
                return;
            }

            lock (_gate)
            {
                _closing = true;
                if (_parked > 0)
                {
                    _wake.Release(_parked);
                    _parked = 0;
                }
            }
        }

        foreach (var thread in _threads)
        {
            thread.Join();
        }

        _wake.Dispose();
        _done.Dispose();
    }

    /// <summary>Nobody may leave while others still work on what is his: an interrupt is put off until they are done.</summary>
    void WaitWithoutInterruption()
    {
        for (var interrupted = false; ;)
        {
            try
            {
                WaitForWorkers();
                if (interrupted)
                {
                    Thread.CurrentThread.Interrupt();
                }

                return;
            }
            catch (ThreadInterruptedException)
            {
                interrupted = true;
            }
        }
    }

    /// <summary>Closes the region to latecomers and waits until the workers in it have left; the last tile is often nearly done, so it spins first.</summary>
    void WaitForWorkers()
    {
        lock (_gate)
        {
            _open = false;
            if (_working == 0)
            {
                return;
            }
        }

        for (var round = 0; round < SpinRounds; round++)
        {
            if (Volatile.Read(ref _working) == 0)
            {
                // A worker that left last may still be inside the gate.
                lock (_gate)
                {
                    return;
                }
            }

            Thread.SpinWait(64);
        }

        _done.Wait(CancellationToken.None);
    }

    void Loop(int worker)
    {
        var seen = 0;
        while (Await(ref seen))
        {
            Drain(worker);
            lock (_gate)
            {
                if (--_working == 0 && !_open)
                {
                    _done.Set();
                }
            }
        }
    }

    /// <summary>Waits for a region not seen before and enters it; false when the pool closes.</summary>
    bool Await(ref int seen)
    {
        while (true)
        {
            for (var round = 0; round < SpinRounds && Volatile.Read(ref _region) == seen && !_closing; round++)
            {
                Thread.SpinWait(64);
            }

            lock (_gate)
            {
                if (_closing)
                {
                    return false;
                }

                if (_region != seen)
                {
                    seen = _region;
                    if (_open)
                    {
                        _working++;
                        return true;
                    }

                    continue;
                }

                _parked++;
            }

            _wake.Wait();
        }
    }

    void Drain(int worker)
    {
        var (work, count, cancel) = (_work!, _count, _cancel);
        int tile;
        while ((tile = Interlocked.Increment(ref _next) - 1) < count && !cancel.IsCancellationRequested)
        {
            try
            {
                work.Execute(tile, worker);
            }
            catch (Exception e)
            {
                // The first failure wins and stops the rest; it is thrown again on the caller's thread.
                Interlocked.CompareExchange(ref _failure, ExceptionDispatchInfo.Capture(e), null);
                Volatile.Write(ref _next, count);
                return;
            }
        }
    }
}
