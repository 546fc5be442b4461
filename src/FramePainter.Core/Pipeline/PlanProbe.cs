using System.Diagnostics;
using FramePainter.Backends;
using FramePainter.Graphs;
using FramePainter.Tensors;

namespace FramePainter.Pipeline;

/// <summary>Times a plan on a device over made-up inputs and weights.</summary>
static class PlanProbe
{
    /// <summary>Seconds of one run: the median of a few, after some that warm up.</summary>
    /// <param name="backend">The device.</param>
    /// <param name="shapes">Where shapes and types of the weights come from.</param>
    /// <param name="plan">The plan.</param>
    /// <param name="warm">Time for runs that do not count; one is made at least.</param>
    /// <param name="enough">Runs are repeated until they took so long together.</param>
    /// <param name="most">And no more often.</param>
    /// <param name="cancel">Looked at within runs.</param>
    /// <exception cref="PlanException">The device has not enough memory for it.</exception>
    public static double Time(IBackend backend, IWeightSource shapes, Plan plan, TimeSpan warm, TimeSpan enough, int most, CancellationToken cancel)
    {
        using var store = backend.CreateStore(new MadeUpWeights(shapes));
        using var executable = backend.Compile(plan, store);
        var buffers = new List<IDeviceBuffer>();
        try
        {
            foreach (var value in plan.Graph.Inputs.Concat(plan.Graph.Outputs))
            {
                var buffer = backend.Allocate(value.Bytes);
                buffers.Add(buffer);
                executable.Bind(value, buffer);
                Fill(buffer, value);
            }

            var all = Stopwatch.StartNew();
            do
            {
                executable.Run(cancel);
            }
            while (all.Elapsed < warm);

            var times = new List<double>();
            all.Restart();
            do
            {
                var clock = Stopwatch.StartNew();
                executable.Run(cancel);
                times.Add(clock.Elapsed.TotalSeconds);
            }
            while (times.Count < most && all.Elapsed < enough);

            times.Sort();
            return times[times.Count / 2];
        }
        finally
        {
            foreach (var buffer in buffers)
            {
                buffer.Dispose();
            }
        }
    }

    /// <summary>Numbers from −1 to 1, of the size that activations have. A single number may be a row's, and stays 0.</summary>
    static void Fill(IDeviceBuffer buffer, Value value)
    {
        var count = value.Shape.Count;
        if (count == 1)
        {
            return;
        }

        var part = new float[(int)Math.Min(count, 1 << 16)];
        for (var i = 0; i < part.Length; i++)
        {
            part[i] = ((i * 7919 % 1999) - 999) / 1000f;
        }

        for (long at = 0; at < count; at += part.Length)
        {
            buffer.Write(part.AsSpan(0, (int)Math.Min(part.Length, count - at)), at * sizeof(float));
        }
    }
}
