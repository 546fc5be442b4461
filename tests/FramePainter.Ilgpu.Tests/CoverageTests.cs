using FramePainter.Conformance;
using FramePainter.Graphs;

namespace FramePainter.Ilgpu.Tests;

/// <summary>The documentation's table of ops is the code's.</summary>
public sealed class CoverageTests
{
    static readonly Type[] s_ops = [.. typeof(Op).Assembly.GetTypes().Where(t => t.IsSubclassOf(typeof(Op)) && !t.IsAbstract)];

    [Fact]
    public void The_table_names_every_op_once_and_says_kernel()
    {
        var rows = Table().Select(line => line.Split('|', StringSplitOptions.TrimEntries)).ToDictionary(cells => cells[1].Trim('`'), cells => cells[2], StringComparer.Ordinal);
        Assert.Equal(s_ops.Select(t => t.Name).Order(StringComparer.Ordinal), rows.Keys.Order(StringComparer.Ordinal));
        Assert.All(rows, row => Assert.Equal("kernel", row.Value));
    }

    [Fact]
    public void Every_kind_of_op_compiles()
    {
        using var backend = new IlgpuBackend(IlgpuDevice.Cpu);
        foreach (var op in s_ops)
        {
            var built = OpCases.All.Values.First(c => c.Op == op).Make();
            using var store = backend.CreateStore(built.Weights);
            using var executable = backend.Compile(Planner.Plan(built.Graph), store);
            Assert.Contains(executable.Plan.Graph.Ops, o => o.GetType() == op);
        }
    }

    // The build may map source paths away, so the page is found from where the tests run.
    static IEnumerable<string> Table()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder.FullName, "FramePainter.Core.sln")))
        {
            folder = folder.Parent ?? throw new InvalidOperationException("These tests run from a build inside the repository.");
        }

        return File.ReadLines(Path.Combine(folder.FullName, "docs", "ilgpu.md")).Where(line => line.StartsWith("| `", StringComparison.Ordinal) && line.Contains("Op` | ", StringComparison.Ordinal));
    }
}
