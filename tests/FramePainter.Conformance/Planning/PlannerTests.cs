using FsCheck.Xunit;
using FramePainter.Backends;
using FramePainter.Graphs;
using FramePainter.Tensors;

namespace FramePainter.Conformance;

public sealed class PlannerTests
{
    [Property(MaxTest = 300)]
    public void Values_alive_together_never_overlap(int seed)
    {
        var graph = RandomGraph(new Random(seed));
        var plan = Planner.Plan(graph);
        var lives = Lives(graph);
        Assert.Equal(lives.Keys.Select(v => v.Id).Order(), plan.Offsets.Keys.Select(v => v.Id).Order());
        foreach (var (a, (firstA, lastA)) in lives)
        {
            foreach (var (b, (firstB, lastB)) in lives.Where(p => p.Key != a && p.Value.First <= lastA && firstA <= p.Value.Last))
            {
                Assert.True(
                    plan.Offsets[a] + a.Bytes <= plan.Offsets[b] || plan.Offsets[b] + b.Bytes <= plan.Offsets[a],
                    $"{a} (ops {firstA} to {lastA}, at {plan.Offsets[a]}) overlaps {b} (ops {firstB} to {lastB}, at {plan.Offsets[b]}).");
            }
        }
    }

    [Property(MaxTest = 300)]
    public void Offsets_are_aligned_and_the_arena_is_between_what_is_alive_at_once_and_the_sum(int seed)
    {
        var graph = RandomGraph(new Random(seed));
        var plan = Planner.Plan(graph);
        var lives = Lives(graph);
        Assert.All(plan.Offsets, p => Assert.True(p.Value >= 0 && p.Value % NativeBuffer.Alignment == 0 && p.Value + p.Key.Bytes <= plan.ArenaBytes));
        var atOnce = Enumerable.Range(0, graph.Ops.Length).Max(i => lives.Where(p => p.Value.First <= i && i <= p.Value.Last).Sum(p => p.Key.Bytes));
        Assert.InRange(plan.ArenaBytes, atOnce, lives.Keys.Sum(v => (v.Bytes + 63) / 64 * 64));
    }

    /// <summary>Pictures and tokens as halves share places as their floats would; what stays float32 has a place that nothing else ever uses.</summary>
    [Property(MaxTest = 300)]
    public void Halves_alive_together_never_overlap_and_floats_lie_alone(int seed)
    {
        var graph = RandomGraph(new Random(seed));
        var plan = Planner.Plan(graph);
        var one = plan.Offsets.Keys.MinBy(value => value.Id);
        var layout = new HalfLayout(plan, 256, value => value == one);
        var lives = Lives(graph);
        var places = layout.Places.Select(p => (p.Value, p.IsHalf, From: p.Offset, To: p.Offset + (p.Value.Shape.Count * (p.IsHalf ? 2 : 4)))).ToArray();
        Assert.Equal(plan.Offsets.Keys.ToHashSet(), places.Select(p => p.Value).ToHashSet());
        Assert.All(places, p => Assert.Equal(p.IsHalf, p.Value.Shape.Rank > 2 && p.Value.Shape.Channels > 4 && p.Value != one));
        Assert.All(places, p => Assert.True(p.From % (p.IsHalf ? 32 : 256) == 0 && p.To <= layout.Bytes));
        foreach (var (a, b) in places.SelectMany((a, i) => places.Skip(i + 1).Select(b => (a, b))))
        {
            var ((firstA, lastA), (firstB, lastB)) = (lives[a.Value], lives[b.Value]);
            Assert.True(a.To <= b.From || b.To <= a.From || (a.IsHalf && b.IsHalf && (lastA < firstB || lastB < firstA)), $"{a} overlaps {b}.");
        }
    }

    [Property(MaxTest = 100)]
    public void Inputs_and_outputs_are_bound_from_outside(int seed)
    {
        var graph = RandomGraph(new Random(seed));
        var plan = Planner.Plan(graph);
        Assert.All(graph.Inputs.Concat(graph.Outputs), v => Assert.True(plan.IsExternal(v)));
    }

    [Fact]
    public void A_chain_needs_room_for_two()
    {
        var graph = new GraphBuilder();
        var x = graph.Input("x", Rate.Edit, 1, 16);
        for (var i = 0; i < 10; i++)
        {
            x = graph.Activate(x, Activation.Silu);
        }

        graph.Output(x, "y");
        Assert.Equal(128, Planner.Plan(graph.Build("chain")).ArenaBytes);
    }

    [Fact]
    public void A_value_read_before_it_is_written_is_an_error()
    {
        var graph = new GraphBuilder();
        var x = graph.Activate(graph.Input("x", Rate.Edit, 1, 16), Activation.Silu);
        graph.Output(graph.Activate(x, Activation.Relu), "y");
        var built = graph.Build("backwards");
        Assert.Throws<InvalidOperationException>(() => Planner.Plan(built with { Ops = [.. built.Ops.Reverse()] }));
    }

    static Dictionary<Value, (int First, int Last)> Lives(Graph graph)
    {
        var lives = new Dictionary<Value, (int First, int Last)>();
        for (var i = 0; i < graph.Ops.Length; i++)
        {
            foreach (var value in graph.Ops[i].Outputs)
            {
                lives[value] = (i, i);
            }

            foreach (var value in graph.Ops[i].Inputs.Where(lives.ContainsKey))
            {
                lives[value] = (lives[value].First, i);
            }
        }

        foreach (var output in graph.Outputs)
        {
            lives.Remove(output);
        }

        return lives;
    }

    /// <summary>Ops that read some of the values before them; the planner looks at sizes and lifetimes alone.</summary>
    static Graph RandomGraph(Random random)
    {
        var id = 0;
        Shape Shape() => random.Next(2) == 0 ? new(1, random.Next(1, 200)) : new(1, random.Next(1, 20), random.Next(1, 10));
        Value New() => new(id, $"%{id++}", Shape(), Rate.Step);
        var values = Enumerable.Range(0, random.Next(1, 4)).Select(_ => New()).ToList();
        var inputs = values.ToArray();
        var ops = new List<Op>();
        for (var count = random.Next(1, 40); count > 0; count--)
        {
            Value Some() => random.Next(3) == 0 ? values[random.Next(values.Count)] : values[^random.Next(1, Math.Min(4, values.Count + 1))];
            Op op = random.Next(3) switch
            {
                0 => new BlendOp { Name = "blend", Left = Some(), Right = Some(), Outputs = [New()] },
                1 => new ControlPoolOp { Name = "pool", Input = Some(), Outputs = [New()] },
                _ => new ControlAlignOp { Name = "align", Input = Some(), Control = Some(), Scales = Some(), Outputs = [New(), New()] },
            };
            ops.Add(op);
            values.AddRange(op.Outputs);
        }

        var outputs = values.Except(inputs).Where(_ => random.Next(6) == 0).Append(ops[^1].Output).Distinct();
        return new Graph("random", [.. inputs], [.. ops], [.. outputs]);
    }
}
