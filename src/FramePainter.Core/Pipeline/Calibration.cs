using System.Diagnostics;
using System.Globalization;
using FramePainter.Backends;
using FramePainter.Graphs;
using FramePainter.Tensors;

namespace FramePainter.Pipeline;

/// <summary>
/// How long plans would take on a device, timed over weights of the right shape that are made up until the time for it is spent. Plans that are small
/// enough are timed whole: an op of some microseconds costs more in a row of others than alone. Of larger ones ops are timed one by one, those with
/// the largest share first; the rest counts by the rate of the ops of its kind that were timed.
/// </summary>
internal sealed class Calibration(IBackend backend, IWeightSource shapes, TimeSpan budget)
{
    /// <summary>Operations and bytes a second by which ops are ordered before any is timed: a few cores of a common processor.</summary>
    const double GuessedFlops = 5e10;
    const double GuessedBytes = 8e9;
    const double GuessedStart = 2e-6;

    /// <summary>Weights that a plan timed whole may have, and how many of their bytes are made up and packed in a second.</summary>
    const long MostWeights = 1L << 30;
    const double PackedBytes = 5e8;

    /// <summary>Runs of a plan that must fit in the time: one that warms up and three that count.</summary>
    const int FewestRuns = 4;

    const int MostRuns = 100;

    /// <summary>Plans that are timed whole take no longer together.</summary>
    static readonly TimeSpan s_whole = TimeSpan.FromSeconds(3);

    /// <summary>How often all ops are timed, where there is time; an op's runs are repeated until they took so long together, or so often.</summary>
    const int Rounds = 3;
    static readonly TimeSpan s_enough = TimeSpan.FromMilliseconds(20);
    const int MostRunsOfOp = 12;

    /// <summary>Rounds that warm up, for how long an op of each kind runs in one, and the pause behind it.</summary>
    const int WarmUps = 3;
    static readonly TimeSpan s_warm = TimeSpan.FromMilliseconds(5);
    static readonly TimeSpan s_pause = TimeSpan.FromMilliseconds(120);

    /// <summary>An op whose guess is longer, in seconds, is timed at a smaller size.</summary>
    public const double LongestProbe = 0.5;

    readonly Dictionary<string, double> _timed = new(StringComparer.Ordinal);

    /// <summary>The guess for the longest op of plans, in seconds: whether it pays to time a smaller size in its place.</summary>
    public static double LongestGuess(IEnumerable<Plan> plans) => plans.SelectMany(p => p.Graph.Ops).Max(Guess);

    /// <summary>Times ops and adds them up.</summary>
    /// <param name="runs">The plans and how often each runs.</param>
    /// <param name="smaller">The same plans at a smaller size, whose ops are timed in their place and scaled; or <paramref name="runs"/>.</param>
    /// <param name="cancel">Looked at between ops.</param>
    /// <returns>Seconds of all runs, and the part of them whose ops were timed.</returns>
    public (double Seconds, double Timed) Run(IReadOnlyDictionary<Plan, int> runs, IReadOnlyDictionary<Plan, int> smaller, CancellationToken cancel)
    {
        var clock = Stopwatch.StartNew();
        var whole = TimeWhole(runs, cancel);
        var groups = Groups(runs.Where(r => !whole.ContainsKey(r.Key)), smaller);
        WarmUp(groups, clock, cancel);

        // What another program takes of the machine for a moment counts in one round only.
        for (var round = 0; round < Rounds; round++)
        {
            foreach (var group in groups.TakeWhile(_ => clock.Elapsed < budget))
            {
                var seconds = PlanProbe.Time(backend, shapes, Alone(group.Probe), TimeSpan.Zero, s_enough, MostRunsOfOp, cancel);
                _timed[group.Key] = Math.Min(_timed.GetValueOrDefault(group.Key, double.MaxValue), seconds);
            }
        }

        return Sum(runs, whole, groups);
    }

    /// <summary>
    /// Runs the cheapest op of each kind until the runtime has compiled anew what was called often: it waits until no new code came for a tenth of a
    /// second, counts calls, and compiles beside.
    /// </summary>
    void WarmUp(List<Group> groups, Stopwatch clock, CancellationToken cancel)
    {
        Op[] kinds = [.. groups.GroupBy(g => g.Op.GetType()).Select(kind => kind.MinBy(g => Guess(g.Probe))!.Probe)];
        for (var round = 0; round < WarmUps; round++)
        {
            foreach (var op in kinds.TakeWhile(_ => clock.Elapsed < budget / 3))
            {
                PlanProbe.Time(backend, shapes, Alone(op), s_warm, TimeSpan.Zero, 1, cancel);
            }

            if (kinds.Length > 0 && clock.Elapsed < budget / 3)
            {
                Thread.Sleep(s_pause);
            }
        }
    }

    static Plan Alone(Op op) => Planner.Plan(new Graph(op.Name, [.. op.Inputs.Distinct()], [op], op.Outputs));

    /// <summary>Times plans for whose runs there is time, those with the largest share first. Each gets its share of the time: a third to warm up, the rest to be timed.</summary>
    Dictionary<Plan, double> TimeWhole(IReadOnlyDictionary<Plan, int> runs, CancellationToken cancel)
    {
        var whole = new Dictionary<Plan, double>();
        var clock = Stopwatch.StartNew();
        var most = budget < s_whole ? budget : s_whole;
        var all = runs.Sum(r => r.Value * Guess(r.Key));
        foreach (var (plan, count) in runs.OrderByDescending(r => r.Value * Guess(r.Key)))
        {
            var weights = plan.Graph.Ops.Sum(WeightBytes);
            var left = most - clock.Elapsed;
            if (weights > MostWeights || (weights / PackedBytes) + (FewestRuns * Guess(plan)) > left.TotalSeconds)
            {
                continue;
            }

            var share = most * (count * Guess(plan) / all);
            try
            {
                whole[plan] = PlanProbe.Time(backend, shapes, plan, share / 3, share * 2 / 3, MostRuns, cancel);
            }
            catch (PlanException)
            {
                // The device has no room for all of it beside what else it holds; its ops are timed one by one.
            }
        }

        return whole;
    }

    (double Seconds, double Timed) Sum(IReadOnlyDictionary<Plan, int> runs, Dictionary<Plan, double> whole, List<Group> groups)
    {
        var timed = groups.Where(g => _timed.ContainsKey(g.Key)).ToList();
        var rates = timed.GroupBy(g => g.Op.GetType()).ToDictionary(kind => kind.Key, Rate);
        var sure = whole.Sum(w => runs[w.Key] * w.Value) + timed.Sum(Seconds);
        var guessed = whole.Keys.Sum(p => runs[p] * Guess(p)) + timed.Sum(g => g.Count * Guess(g.Op));
        var all = guessed > 0 ? sure / guessed : 1;
        var rest = groups.Except(timed).Sum(g => g.Count * Guess(g.Op) * rates.GetValueOrDefault(g.Op.GetType(), all));
        return (sure + rest, sure);

        double Rate(IEnumerable<Group> some) => some.Sum(Seconds) / some.Sum(g => g.Count * Guess(g.Op));
    }

    double Seconds(Group group) => group.Count * _timed[group.Key] * Guess(group.Op) / Guess(group.Probe);

    /// <summary>Ops that are the same work, most of the guessed time first.</summary>
    static List<Group> Groups(IEnumerable<KeyValuePair<Plan, int>> runs, IReadOnlyDictionary<Plan, int> smaller)
    {
        var groups = new Dictionary<string, Group>(StringComparer.Ordinal);
        foreach (var (plan, count) in runs)
        {
            var ops = plan.Graph.Ops;
            var probes = (smaller.Keys.FirstOrDefault(p => p.Graph.Name == plan.Graph.Name && p.Graph.Ops.Length == ops.Length) ?? plan).Graph.Ops;
            for (var i = 0; i < ops.Length; i++)
            {
                var key = Signature(ops[i]);
                groups[key] = groups.TryGetValue(key, out var known) ? known with { Count = known.Count + count } : new Group(key, ops[i], Guess(ops[i]) > LongestProbe ? probes[i] : ops[i], count);
            }
        }

        return [.. groups.Values.OrderByDescending(g => g.Count * Guess(g.Op))];
    }

    static double Guess(Plan plan) => plan.Graph.Ops.Sum(Guess);

    static double Guess(Op op) => (op.Flops / GuessedFlops) + ((op.Inputs.Concat(op.Outputs).Sum(v => v.Bytes) + WeightBytes(op)) / GuessedBytes) + GuessedStart;

    static long WeightBytes(Op op) => op is ProductOp product ? 2L * product.Weight.Outputs * product.Weight.Inputs * product.Weight.Taps : 0;

    /// <summary>Equal for ops that are the same work: the same kind over the same shapes.</summary>
    static string Signature(Op op)
    {
        var shapes = string.Join(' ', op.Inputs.Select(v => v.Shape).Append(op.Output.Shape));
        return string.Create(CultureInfo.InvariantCulture, $"{op.GetType().Name} {shapes} {op switch
        {
            ConvOp c => $"{c.Weight.Outputs} {c.Weight.Inputs} {c.KernelHeight} {c.Stride} {c.Upsample} {c.Epilogue.Activation}",
            ProductOp p => $"{p.Weight.Outputs} {p.Weight.Inputs} {p.Weight.Taps} {p.Epilogue.Activation}",
            AttentionOp a => $"{a.Heads} {a.HeadDim} {a.Matching is not null}",
            GroupNormOp n => $"{n.Groups} {n.Frames} {n.Activation}",
            _ => "",
        }}");
    }

    /// <summary>Ops that are the same work.</summary>
    /// <param name="Key">Their signature.</param>
    /// <param name="Op">One of them.</param>
    /// <param name="Probe">What is timed in its place: itself, or the same op at a smaller size.</param>
    /// <param name="Count">How often they run in all.</param>
    sealed record Group(string Key, Op Op, Op Probe, int Count);
}
