using System.Runtime.ExceptionServices;

namespace FramePainter.Tensors;

/// <summary>Work on rows that do not depend on one another: the same results by any number of threads.</summary>
static class RowWork
{
    /// <summary>Does all rows. What one of them throws comes out as it is.</summary>
    /// <param name="rows">How many.</param>
    /// <param name="threads">Threads that may work at once.</param>
    /// <param name="work">Does the rows from one to before another.</param>
    public static void Run(int rows, int threads, Action<int, int> work)
    {
        var parts = Math.Min(rows, threads);
        if (parts <= 1)
        {
            work(0, rows);
            return;
        }

        try
        {
            Parallel.For(0, parts, new ParallelOptions { MaxDegreeOfParallelism = threads }, part => work((int)((long)rows * part / parts), (int)((long)rows * (part + 1) / parts)));
        }
        catch (AggregateException errors)
        {
            ExceptionDispatchInfo.Throw(errors.InnerExceptions[0]);
        }
    }
}
