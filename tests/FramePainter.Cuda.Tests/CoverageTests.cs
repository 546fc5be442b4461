using FramePainter.Conformance;
using FramePainter.Core.Tests.Engine;
using FramePainter.Graphs;

namespace FramePainter.Cuda.Tests;

/// <summary>The documentation's table of ops is the code's: every op, and the kernels that the suite's cases of it reach.</summary>
[Trait("Needs", "emulator")]
public sealed class CoverageTests : IDisposable
{
    static readonly string[] s_ops = [.. typeof(Op).Assembly.GetTypes().Where(t => t.IsSubclassOf(typeof(Op)) && !t.IsAbstract).Select(t => t.Name).Order(StringComparer.Ordinal)];

    [Fact]
    public void The_table_names_every_op_and_every_kernel()
    {
        var reached = s_ops.ToDictionary(op => op, _ => new SortedSet<string>(StringComparer.Ordinal), StringComparer.Ordinal);
        foreach (var backend in new[] { CudaBackend.Open(), new CudaBackend(0, new CudaTuning(double.PositiveInfinity, false) { HeldWideRow = 0, JoinedChunks = 0 }), Hopper.Open(HopperRun.Every), Hopper.Open(HopperRun.Tiles("shared")) })
        {
            using var inner = new InnerBackend(backend);
            foreach (var built in OpCases.All.Values.Where(c => c.Adversity == Adversity.None).Select(c => c.Make()))
            {
                Note(backend, built);
                Note(inner, built);
            }
        }

        var table = reached.Select(r => $"| `{r.Key}` | kernel | {string.Join(", ", r.Value.Select(k => $"`{k}`"))} |");
        var written = File.ReadLines(Path.Combine(Repository.Root, "docs", "cuda.md"))
            .Where(line => line.StartsWith("| `", StringComparison.Ordinal) && line.Contains("Op` | ", StringComparison.Ordinal));
        Assert.True(table.SequenceEqual(written), $"The table in docs/cuda.md should be:\n{string.Join('\n', table)}");
        Assert.All(reached, op => Assert.NotEmpty(op.Value));

        void Note(Backends.IBackend backend, BuiltCase built)
        {
            using var store = backend.CreateStore(built.Weights);
            using var executable = (CudaExecutable)backend.Compile(Planner.Plan(built.Graph), store);
            foreach (var launch in executable.Launches.Where(l => l.Op.Name != "copy"))
            {
                reached[launch.Op.GetType().Name].Add(launch.Kernel);
            }
        }
    }

    /// <inheritdoc/>
    public void Dispose() => Emulator.Restore();
}
