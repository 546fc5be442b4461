using FramePainter.Backends.Cpu;

namespace FramePainter.Tests.Backends;

public sealed class WorkerPoolTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public void Every_tile_of_very_many_small_regions_runs_once(int workers)
    {
        using var pool = new WorkerPool(workers);
        var work = new Counting(workers);
        for (var region = 0; region < 100_000; region++)
        {
            work.Begin((region % 7) + 1);
            pool.Run(work, (region % 7) + 1, CancellationToken.None);
            work.CheckComplete();
        }
    }

    [Fact]
    public void Callers_at_once_take_turns()
    {
        using var pool = new WorkerPool(2);
        var inside = 0;
        var worst = 0;
        Parallel.For(0, 4, new ParallelOptions { MaxDegreeOfParallelism = 4 }, _ =>
        {
            for (var region = 0; region < 2_000; region++)
            {
                var work = new Counting(2) { OnTile = () =>
                {
                    var now = Interlocked.Increment(ref inside);
                    InterlockedMax(ref worst, now);
                    Thread.SpinWait(20);
                    Interlocked.Decrement(ref inside);
                } };
                work.Begin(5);
                pool.Run(work, 5, CancellationToken.None);
                work.CheckComplete();
            }
        });
        Assert.InRange(worst, 1, 2);
    }

    [Fact]
    public void An_interrupted_caller_leaves_when_all_tiles_are_done()
    {
        using var pool = new WorkerPool(2);
        using var begun = new CountdownEvent(2);
        using var leave = new ManualResetEventSlim();
        var (done, doneWhenLeft, interrupted) = (0, -1, false);
        var work = new Counting(2) { OnTile = () =>
        {
            begun.Signal();
            begun.Wait(TestContext.Current.CancellationToken);
            if (Thread.CurrentThread.IsBackground)
            {
                leave.Wait(TestContext.Current.CancellationToken);
            }

            Interlocked.Increment(ref done);
        } };
        work.Begin(2);
        var caller = new Thread(() =>
        {
            pool.Run(work, 2, CancellationToken.None);
            doneWhenLeft = Volatile.Read(ref done);
            try
            {
                Thread.Sleep(1);
            }
            catch (ThreadInterruptedException)
            {
                interrupted = true;
            }
        });
        caller.Start();
        SpinWait.SpinUntil(() => Volatile.Read(ref done) == 1);
        caller.Interrupt();
        Assert.False(caller.Join(100));
        leave.Set();
        caller.Join();
        Assert.Equal((2, true), (doneWhenLeft, interrupted));
        work.CheckComplete();
    }

    [Fact]
    public void The_first_exception_reaches_the_caller_and_the_pool_stays_usable()
    {
        using var pool = new WorkerPool(3);
        for (var round = 0; round < 2_000; round++)
        {
            var failing = new Failing(round % 9);
            var error = Assert.Throws<InvalidDataException>(() => pool.Run(failing, 9, CancellationToken.None));
            Assert.Equal($"tile {round % 9}", error.Message);
            var work = new Counting(3);
            work.Begin(4);
            pool.Run(work, 4, CancellationToken.None);
            work.CheckComplete();
        }
    }

    [Fact]
    public void Cancelling_stops_between_tiles_and_the_pool_stays_usable()
    {
        using var pool = new WorkerPool(2);
        for (var round = 0; round < 200; round++)
        {
            using var cancel = new CancellationTokenSource();
            var done = 0;
            var work = new Counting(2) { OnTile = () =>
            {
                var tile = Interlocked.Increment(ref done);
                if (tile == 10)
                {
                    cancel.Cancel();
                }
                else if (tile > 10)
                {
                    // The thread that cancels may be put aside before it does; tiles that began meanwhile wait for it.
                    SpinWait.SpinUntil(() => cancel.IsCancellationRequested);
                }
            } };
            work.Begin(1000);
            Assert.Throws<OperationCanceledException>(() => pool.Run(work, 1000, cancel.Token));
            Assert.InRange(done, 10, 11);
            Assert.Throws<OperationCanceledException>(() => pool.Run(work, 1000, cancel.Token));
            work = new Counting(2);
            work.Begin(6);
            pool.Run(work, 6, CancellationToken.None);
            work.CheckComplete();
        }
    }

    [Fact]
    public void Parked_workers_come_back_and_end_with_the_pool()
    {
        var pool = new WorkerPool(4);
        for (var round = 0; round < 20; round++)
        {
            Thread.Sleep(2);
            var work = new Counting(4);
            work.Begin(50);
            pool.Run(work, 50, CancellationToken.None);
            work.CheckComplete();
        }

        pool.Dispose();
        pool.Dispose();
        Assert.Throws<ObjectDisposedException>(() => pool.Run(new Counting(4), 1, CancellationToken.None));
    }

    [Fact]
    public void A_region_without_tiles_runs_nothing()
    {
        using var pool = new WorkerPool(2);
        pool.Run(new Failing(0), 0, CancellationToken.None);
        Assert.Equal(2, pool.Workers);
    }

    static void InterlockedMax(ref int target, int value)
    {
        int seen;
        while (value > (seen = Volatile.Read(ref target)) && Interlocked.CompareExchange(ref target, value, seen) != seen)
        {
        }
    }

    sealed class Counting(int workers) : IParallelWork
    {
        readonly int[] _runs = new int[1000];
        readonly int[] _inUse = new int[workers];
        int _count;
        int _clashes;

        public Action? OnTile { get; init; }

        public void Begin(int count)
        {
            _count = count;
            Array.Clear(_runs, 0, count);
        }

        public void Execute(int tile, int worker)
        {
            if (Interlocked.Increment(ref _inUse[worker]) != 1)
            {
                Interlocked.Increment(ref _clashes);
            }

            Interlocked.Increment(ref _runs[tile]);
            OnTile?.Invoke();
            Interlocked.Decrement(ref _inUse[worker]);
        }

        public void CheckComplete()
        {
            Assert.Equal(0, _clashes);
            for (var i = 0; i < _count; i++)
            {
                Assert.Equal(1, Volatile.Read(ref _runs[i]));
            }
        }
    }

    sealed class Failing(int tile) : IParallelWork
    {
        public void Execute(int number, int worker)
        {
            if (number == tile)
            {
                throw new InvalidDataException($"tile {number}");
            }
        }
    }
}
