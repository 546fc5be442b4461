using System.Runtime.ExceptionServices;

namespace FramePainter.Backends.Cpu;

/// <summary>
/// Threads that live as long as the backend and run the tiles of one kernel at a time. The caller works too.
/// Tiles are taken from a shared counter, so that all cores finish together whatever else the machine does;
/// which worker runs a tile never changes a result.
/// A region dispatched from a second thread waits for its turn: cores are never oversubscribed.
/// </summary>
internal sealed class WorkerPool : IDisposable
{
    readonly Lock _turn = new();
    readonly Thread[] _threads;
    readonly SemaphoreSlim _start = new(0);
    readonly ManualResetEventSlim _done = new(false, spinCount: 200);
    IParallelWork? _work;
    CancellationToken _cancel;
    ExceptionDispatchInfo? _failure;
    int _count;
    int _next;
    int _busy;
    bool _closing;

    public WorkerPool(int workers)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(workers, 1);
        _threads = new Thread[workers - 1];
        for (var i = 0; i < _threads.Length; i++)
        {
            var worker = i + 1;
            _threads[i] = new Thread(() => Loop(worker)) { IsBackground = true, Name = $"FramePainter worker {worker}" };
            _threads[i].Start();
        }
    }

    /// <summary>How many tiles run at once, the caller's included.</summary>
    public int Workers => _threads.Length + 1;

    public void Run(IParallelWork work, int count, CancellationToken cancel)
    {
        lock (_turn)
        {
            ObjectDisposedException.ThrowIf(_closing, this);
            cancel.ThrowIfCancellationRequested();
            var helpers = Math.Min(_threads.Length, count - 1);
            (_work, _cancel, _count, _next, _failure) = (work, cancel, count, 0, null);
            _busy = helpers;
            if (helpers > 0)
            {
                _done.Reset();
                _start.Release(helpers);
            }

            Drain(0);
            if (helpers > 0)
            {
                _done.Wait(CancellationToken.None);
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

            _closing = true;
            _start.Release(Math.Max(_threads.Length, 1));
        }

        foreach (var thread in _threads)
        {
            thread.Join();
        }

        _start.Dispose();
        _done.Dispose();
    }

    void Loop(int worker)
    {
        while (true)
        {
            _start.Wait();
            if (_closing)
            {
                return;
            }

            Drain(worker);
            if (Interlocked.Decrement(ref _busy) == 0)
            {
                _done.Set();
            }
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
