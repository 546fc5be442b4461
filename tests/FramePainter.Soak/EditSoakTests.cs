using System.Diagnostics;
using FramePainter.Toy;

namespace FramePainter.Soak;

/// <summary>Edits of all kinds from 8 threads over 2 painters, some cancelled at any point: results are those of a calm run, and nothing is left behind.</summary>
[Collection(nameof(Alone))]
public sealed class EditSoakTests
{
    const int Threads = 8;
    const int Longest = 60;

    [Fact]
    public void Edits_at_once_are_those_of_a_calm_run_and_leave_nothing()
    {
        var kinds = Enumerable.Range(0, Amount.Kinds).Select(SoakEdit.Draw).ToArray();
        var calm = Calm(kinds);
        // Once through all of it: what the runtime keeps for good (code, pools, statics) is there before the level is taken.
        Storm(kinds, calm, Math.Max(Amount.Edits / 10, Threads), seed: 1);
        var before = Level.Now();
        var watch = Stopwatch.StartNew();
        var (whole, cancelled) = Storm(kinds, calm, Amount.Edits, seed: 2);
        var after = Level.Now();
        TestContext.Current.TestOutputHelper!.WriteLine($"{whole} edits whole, {cancelled} cancelled, {Amount.Kinds} kinds, {watch.Elapsed.TotalSeconds:F0} s");
        TestContext.Current.TestOutputHelper!.WriteLine($"before {before}");
        TestContext.Current.TestOutputHelper!.WriteLine($"after  {after}");
        Assert.Equal(Amount.Edits, whole + cancelled);
        Assert.True(whole > Amount.Edits / 4 && cancelled > 0, $"{whole} edits ended, {cancelled} were cancelled.");
        before.AssertHeldBy(after, managedSlack: 2 << 20);
    }

    static ulong[] Calm(SoakEdit[] kinds)
    {
        using var painter = Open(threads: 1);
        return [.. kinds.Select(k => SoakEdit.Digest(painter.Edit(k.Picture, k.Signal, k.Options)))];
    }

    /// <summary>Edits from all threads at once.</summary>
    /// <returns>How many ended, and how many were cancelled.</returns>
    static (int Whole, int Cancelled) Storm(SoakEdit[] kinds, ulong[] calm, int edits, int seed)
    {
        Painter[] painters = [Open(threads: 1), Open(threads: 3)];
        var (next, whole, cancelled) = (0, 0, 0);
        var faults = new List<Exception>();
        var threads = Enumerable.Range(0, Threads).Select(_ => new Thread(Work)).ToArray();
        Array.ForEach(threads, t => t.Start());
        Array.ForEach(threads, t => t.Join());
        Array.ForEach(painters, p => p.Dispose());
        return faults.Count == 0 ? (whole, cancelled) : throw new AggregateException(faults);

        void Work()
        {
            try
            {
                for (int number; (number = Interlocked.Increment(ref next)) <= edits;)
                {
                    if (One(painters[number % painters.Length], new Random((seed << 16) + number)))
                    {
                        Interlocked.Increment(ref whole);
                    }
                    else
                    {
                        Interlocked.Increment(ref cancelled);
                    }
                }
            }
            catch (Exception e)
            {
                lock (faults)
                {
                    faults.Add(e);
                }
            }
        }

        bool One(Painter painter, Random random)
        {
            var kind = random.Next(kinds.Length);
            var (picture, signal, options) = kinds[kind];
            using var cancel = new CancellationTokenSource();
            switch (random.Next(6))
            {
                case 0:
                    cancel.CancelAfter(random.Next(Longest));
                    break;
                case 1:
                    options = options with { Progress = new CancelAt(cancel, random.Next(8)) };
                    break;
                case 2:
                    options = options with { Progress = new CancelAt(cancel, int.MaxValue), Preview = true };
                    break;
            }

            try
            {
                using var session = random.Next(3) == 0 ? painter.Open(picture) : null;
                var result = session is null ? painter.Edit(picture, signal, options, cancel.Token) : session.Edit(signal, options, cancel.Token);
                Assert.Equal(calm[kind], SoakEdit.Digest(result));
                return true;
            }
            catch (OperationCanceledException) when (cancel.IsCancellationRequested)
            {
                return false;
            }
        }
    }

    static Painter Open(int threads) => Painter.Load(new PainterOptions { Model = ToyModel.Folder, Device = Device.Cpu, Threads = threads });

    /// <summary>Cancels at a report of its number.</summary>
    sealed class CancelAt(CancellationTokenSource cancel, int report) : IProgress<EditProgress>
    {
        int _left = report;

        public void Report(EditProgress value)
        {
            if (_left-- == 0)
            {
                cancel.Cancel();
            }
        }
    }
}

/// <summary>Nothing runs beside a soak: it counts what the whole process holds.</summary>
[CollectionDefinition(nameof(Alone), DisableParallelization = true)]
public sealed class Alone;
