namespace FramePainter.Fuzz.Engine;

/// <summary>One input through a target, with the limits that every target shares.</summary>
internal static class Trial
{
    /// <summary>More of the processor than this for a few kilobytes is a find: its time and not the clock's, because machines are busy.</summary>
    public static readonly TimeSpan Slow = TimeSpan.FromSeconds(2);

    /// <summary>More memory than this for a few kilobytes is a find.</summary>
    public const long Greedy = 512L << 20;

    /// <summary>Runs an input; null where all is well, else what is wrong.</summary>
    public static string? Run(IFuzzTarget target, ReadOnlySpan<byte> input)
    {
        var (start, allocated) = (Environment.CpuUsage.TotalTime, GC.GetAllocatedBytesForCurrentThread());
        try
        {
            target.Run(input);
        }
        catch (FramePainterException)
        {
        }
        catch (Exception e)
        {
            return $"{e.GetType().Name}: {e.Message}\n{e.StackTrace}";
        }

        var (took, bytes) = (Environment.CpuUsage.TotalTime - start, GC.GetAllocatedBytesForCurrentThread() - allocated);
        return took > Slow ? $"It took {took.TotalSeconds:F1} s."
            : bytes > Greedy ? $"It allocated {bytes >> 20} MB."
            : null;
    }
}
