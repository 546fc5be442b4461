using FramePainter.Backends.Cpu;

namespace FramePainter.Faults.Tests;

/// <summary>Worker threads that do not start.</summary>
public sealed class ThreadFaultTests
{
    [Fact]
    public void Each_thread_fails_in_turn_and_those_before_it_end()
    {
        const int workers = 8;
        for (var n = 0; n < workers - 1; n++)
        {
            var (refused, started) = (n, new List<Thread>());
            var error = Assert.Throws<DeviceException>(() => new WorkerPool(workers, thread =>
            {
                if (refused-- == 0)
                    Ground.RefuseMemory();

                thread.Start();
                started.Add(thread);
            }));
            Assert.Contains($"refuses thread {n + 2} of 8", error.Message, StringComparison.Ordinal);
            Assert.Contains($"Threads to {n + 1} or fewer", error.Message, StringComparison.Ordinal);
            Assert.Equal(n, started.Count);
            Assert.All(started, thread => Assert.False(thread.IsAlive));
        }
    }
}
