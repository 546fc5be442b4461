namespace FramePainter.Core.Tests.Support;

/// <summary>What work allocates each time that it is done.</summary>
internal static class Allocation
{
    /// <summary>
    /// The fewest managed bytes that <paramref name="work"/> allocated on this thread in up to <paramref name="times"/> goes.
    /// The runtime allocates on a caller's thread now and then (a loop compiled anew while it runs, a lock that is first waited for);
    /// what the work itself allocates, it allocates in every go.
    /// </summary>
    public static long Least(Action work, int times = 4)
    {
        var least = long.MaxValue;
        for (var i = 0; i < times && least > 0; i++)
        {
            var before = GC.GetAllocatedBytesForCurrentThread();
            work();
            least = Math.Min(least, GC.GetAllocatedBytesForCurrentThread() - before);
        }

        return least;
    }
}
