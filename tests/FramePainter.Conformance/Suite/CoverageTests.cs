using FramePainter.Graphs;

namespace FramePainter.Conformance;

public sealed class CoverageTests
{
    [Fact]
    public void Every_kind_of_op_has_cases()
    {
        var kinds = typeof(Op).Assembly.GetTypes().Where(t => t.IsSubclassOf(typeof(Op)) && !t.IsAbstract).ToList();
        Assert.NotEmpty(kinds);
        Assert.Empty(kinds.Except(OpCases.All.Values.Select(c => c.Op!)).Select(t => t.Name));
    }

    [Fact]
    public void Every_activation_stands_in_an_epilogue_of_every_product()
    {
        var seen = OpCases.All.Values.Where(c => c.Op?.IsSubclassOf(typeof(ProductOp)) == true && c.Adversity == Adversity.None)
            .Select(c => (ProductOp)c.Make().Graph.Ops[0]).Select(op => (op.GetType(), op.Epilogue.Activation)).Distinct().Count();
        Assert.Equal(3 * Enum.GetValues<Activation>().Length, seen);
    }
}
