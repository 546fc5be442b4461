using System.Diagnostics;
using FramePainter.Backends.Cpu.Jit;
using FramePainter.Benchmarks.Cases;
using FramePainter.Benchmarks.Engines;

namespace FramePainter.Benchmarks.Compare;

/// <summary>Times both engines in turns, so that whatever else the machine does befalls both alike.</summary>
/// <param name="threads">Threads of each engine.</param>
/// <param name="rounds">How often each has its turn.</param>
/// <param name="precision">Numbers of our products.</param>
/// <exception cref="OptionException">This processor does not compute in them: it would time float32 against itself.</exception>
internal sealed class Comparison(int threads, int rounds, Precision precision)
{
    readonly Precision _precision = precision == Precision.BFloat16 && BrainSupport.OfThisMachine.Absence is { } absence
        ? throw new OptionException(nameof(PainterOptions.Precision), $"There is nothing to time in BFloat16: {absence}. Run it where the processor has AVX512-BF16.")
        : precision;

    /// <summary>Both compute in float32 and add in different orders, or one rounds factors to bfloat16 (8 bits); a block of the network keeps them within this.</summary>
    readonly double _allowed = precision == Precision.BFloat16 ? 2e-2 : 1e-4;

    static readonly TimeSpan s_turn = TimeSpan.FromMilliseconds(60);

    /// <summary>The JIT looks for methods called often a tenth of a second after it last compiled one, and compiles them twice, first to watch them: what runs before is slower by up to a tenth.</summary>
    static readonly TimeSpan s_warmUp = TimeSpan.FromMilliseconds(500);

    /// <summary>Compares the results of one case, then its times.</summary>
    /// <exception cref="InvalidOperationException">The engines disagree: a time would mean nothing.</exception>
    public Row Run(BenchmarkCase benchmark)
    {
        using var engines = new EnginePair(benchmark, threads, _precision);
        var (graph, ours, peer) = (engines.Graph, engines.Ours, engines.Peer);
        ours.Run();
        peer.Run();
        var difference = Distance(ours.Read(), peer.Read());
        if (!(difference < _allowed))
        {
            throw new InvalidOperationException($"'{benchmark.Name}': the results differ by {difference:E1}, allowed are {_allowed:E0}.");
        }

        Turn(ours, s_warmUp);
        Turn(peer, s_warmUp);
        var (our, their, ratio, share) = (new double[rounds], new double[rounds], new double[rounds], new double[rounds]);
        for (var r = 0; r < rounds; r++)
        {
            var ceiling = Ceiling.Measure(threads);
            our[r] = Turn(ours, s_turn);
            their[r] = Turn(peer, s_turn);
            ratio[r] = their[r] / our[r];
            share[r] = graph.Flops / our[r] / 1e9 / Math.Max(ceiling, Ceiling.Measure(threads));
        }

        return new Row(benchmark.Name, graph.Flops, Median(our), Median(their), Median(ratio), Median(share), difference);
    }

    /// <summary>Seconds of a run, averaged over a turn.</summary>
    static double Turn(IEngine engine, TimeSpan time)
    {
        var (start, runs) = (Stopwatch.GetTimestamp(), 0);
        do
        {
            engine.Run();
            runs++;
        }
        while (Stopwatch.GetElapsedTime(start) < time);
        return Stopwatch.GetElapsedTime(start).TotalSeconds / runs;
    }

    static double Distance(float[] left, float[] right)
    {
        double difference = 0, size = 0;
        for (var i = 0; i < left.Length; i++)
        {
            difference += Math.Pow((double)left[i] - right[i], 2);
            size += (double)right[i] * right[i];
        }

        return Math.Sqrt(difference / size);
    }

    static double Median(double[] values)
    {
        Array.Sort(values);
        return (values[(values.Length - 1) / 2] + values[values.Length / 2]) / 2;
    }
}
