using System.Diagnostics;
using System.Security.Cryptography;

namespace FramePainter.Fuzz.Engine;

/// <summary>
/// A coverage-guided mutator within one process: inputs that reach new edges are kept and mutated further. Assemblies are instrumented by
/// SharpFuzz; there is no libFuzzer or AFL++ around them, which makes an input cost microseconds instead of a round trip to another process.
/// </summary>
internal sealed class Fuzzer(IFuzzTarget target, CoverageMap map, Watchdog watchdog, int seed)
{
    readonly List<byte[]> _corpus = [];
    readonly List<(string Name, byte[] Input, string What)> _finds = [];

    /// <summary>Inputs run so far.</summary>
    public long Inputs { get; private set; }

    /// <summary>Inputs kept because they reached something new.</summary>
    public IReadOnlyList<byte[]> Corpus => _corpus;

    /// <summary>Inputs that broke something, each kind once, with what happened.</summary>
    public IReadOnlyList<(string Name, byte[] Input, string What)> Finds => _finds;

    /// <summary>Edges reached.</summary>
    public int Edges => map.Edges;

    /// <summary>Runs the seeds and the kept corpus, then mutations until time or inputs are used up.</summary>
    /// <exception cref="InvalidOperationException">The assemblies are not instrumented.</exception>
    public void Run(IEnumerable<byte[]> start, TimeSpan time, long inputs)
    {
        foreach (var input in target.Seeds.Concat(start))
        {
            Try(input, keep: true);
        }

        if (_corpus.Count == 0 && _finds.Count > 0)
        {
            return;
        }

        if (!map.IsAlive)
        {
            throw new InvalidOperationException("Nothing was counted: the assemblies are not instrumented. Start the fuzzer by tests/fuzz.sh.");
        }

        var mutator = new Mutator(target, new Random(seed));
        for (var clock = Stopwatch.StartNew(); clock.Elapsed < time && Inputs < inputs;)
        {
            Try(mutator.Mutate(_corpus), keep: false);
        }

        watchdog.End();
    }

    void Try(byte[] input, bool keep)
    {
        watchdog.Begin(input);
        map.Clear();
        var what = Trial.Run(target, input);
        Inputs++;
        var news = map.Learn();
        if (what is not null)
        {
            // The same fault from the same place counts once.
            var kind = string.Join('\n', what.Split('\n').Take(3).Select((line, i) => i == 0 ? line.Split(':')[0] : line));
            var name = Convert.ToHexStringLower(SHA256.HashData(System.Text.Encoding.UTF8.GetBytes(kind)))[..12];
            if (_finds.TrueForAll(f => f.Name != name))
            {
                _finds.Add((name, input, what));
            }
        }
        else if (news || (keep && _corpus.Count == 0))
        {
            _corpus.Add(input);
        }
    }
}
