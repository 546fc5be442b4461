using FramePainter.Backends;
using FramePainter.Graphs;
using FramePainter.Tensors;

namespace FramePainter.Conformance;

/// <summary>One body of tests, run for every backend: a class derives from it and names its profile.</summary>
public abstract class ConformanceSuite : IDisposable
{
    readonly Lazy<IBackend> _backend;

    private protected ConformanceSuite(BackendProfile profile)
    {
        Profile = profile;
        _backend = new Lazy<IBackend>(profile.Create);
    }

    /// <summary>Names of all cases.</summary>
    public static TheoryData<string> Cases => [.. OpCases.All.Keys];

    private protected BackendProfile Profile { get; }

    private protected IBackend Backend => _backend.Value;

    [Theory]
    [MemberData(nameof(Cases))]
    public void Computes_what_the_oracle_computes(string name)
    {
        SkipWhenAbsent();
        Assert.SkipUnless(Profile.Takes(OpCases.All[name].Make()), "This backend leaves the case out.");
        var expected = Expectation.Of(name);
        using var run = new GuardedRun(Backend, expected.Built);
        var first = run.Run();
        foreach (var (value, want) in expected.Outputs)
        {
            Compare(expected, value, want, first[value]);
        }

        run.Poison();
        foreach (var (value, again) in run.Run())
        {
            Bits.AssertEqual(first[value], again, $"{name}: {value} after a run on NaN");
        }
    }

    [Fact]
    public void A_cancelled_run_says_so_and_the_next_one_is_right()
    {
        SkipWhenAbsent();
        var expected = Expectation.Of("block");
        using var run = new GuardedRun(Backend, expected.Built);
        using var cancel = new CancellationTokenSource();
        cancel.Cancel();
        Assert.Throws<OperationCanceledException>(() => run.Executable.Run(cancel.Token));
        foreach (var (value, got) in run.Run())
        {
            Compare(expected, value, expected.Outputs[value], got);
        }
    }

    [Fact]
    public void A_missing_weight_is_named_when_a_plan_is_compiled()
    {
        SkipWhenAbsent();
        var built = OpCases.All["block"].Make();
        using var none = new MemoryWeights();
        using var store = Backend.CreateStore(none);
        var error = Assert.Throws<CheckpointException>(() => Backend.Compile(Planner.Plan(built.Graph), store));
        Assert.Contains("unet.w", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_misshaped_weight_is_named_when_a_plan_is_compiled()
    {
        SkipWhenAbsent();
        var graph = new GraphBuilder();
        var x = graph.Input("x", Rate.Edit, 1, 5, 3);
        graph.Output(graph.Linear(x, WeightMatrix.Of("unet.misshaped.weight", 4, 3)), "y");
        using var weights = new MemoryWeights();
        weights.Add("unet.misshaped.weight", DType.F32, new Shape(4, 2), new float[8]);
        using var store = Backend.CreateStore(weights);
        var error = Assert.Throws<CheckpointException>(() => Backend.Compile(Planner.Plan(graph.Build("misshaped")), store));
        Assert.Contains("unet.misshaped.weight", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Vectors_of_the_wrong_size_are_named_when_a_plan_is_compiled()
    {
        SkipWhenAbsent();
        using var weights = new MemoryWeights();
        weights.Add("unet.wide.weight", DType.F32, new Shape(4, 3), new float[12]);
        foreach (var count in (int[])[1, 2, 3])
        {
            weights.Add($"unet.of{count}.bias", DType.F32, new Shape(count), new float[count]);
        }

        using var store = Backend.CreateStore(weights);
        foreach (var (counts, join) in ((int[], VectorJoin)[])[([3], default), ([2, 1], default), ([2, 3], default), ([2, 3], VectorJoin.Sum)])
        {
            var graph = new GraphBuilder();
            var bias = new WeightVector { Tensors = [.. counts.Select(n => $"unet.of{n}.bias")], Join = join, Count = 4 };
            graph.Output(graph.Linear(graph.Input("x", Rate.Edit, 1, 5, 3), WeightMatrix.Of("unet.wide.weight", 4, 3), bias), "y");
            var error = Assert.Throws<CheckpointException>(() => Backend.Compile(Planner.Plan(graph.Build("misshaped")), store));
            Assert.Matches("unet.of[123].bias", error.Message);
        }
    }

    [Fact]
    public void An_executable_that_was_given_back_is_refused()
    {
        SkipWhenAbsent();
        var graph = new GraphBuilder();
        graph.Output(graph.Activate(graph.Input("x", Rate.Edit, 1, 5, 3), Activation.Silu), "y");
        using var weights = new MemoryWeights();
        using var store = Backend.CreateStore(weights);
        var plan = Planner.Plan(graph.Build("gone"));
        var executable = Backend.Compile(plan, store);
        using var buffer = Backend.Allocate(128);
        executable.Bind(plan.Graph.Inputs[0], buffer);
        executable.Bind(plan.Graph.Outputs[0], buffer, 64);
        executable.Run(TestContext.Current.CancellationToken);
        executable.Dispose();
        executable.Dispose();
        Assert.Throws<ObjectDisposedException>(() => executable.Run(TestContext.Current.CancellationToken));
    }

    [Fact]
    public void An_Euler_step_may_overwrite_its_latents()
    {
        SkipWhenAbsent();
        var expected = Expectation.Of("euler 3x5 guided");
        var graph = expected.Built.Graph;
        var op = (EulerOp)graph.Ops[0];
        using var store = Backend.CreateStore(expected.Built.Weights);
        using var executable = Backend.Compile(Planner.Plan(graph), store);
        using var velocity = Backend.Allocate(op.Velocity.Bytes);
        using var latents = Backend.Allocate(op.Latents.Bytes);
        using var scalars = Backend.Allocate(op.Scalars.Bytes);
        velocity.Write(expected.Built.Inputs[op.Velocity]);
        latents.Write(expected.Built.Inputs[op.Latents]);
        scalars.Write(expected.Built.Inputs[op.Scalars]);
        executable.Bind(op.Velocity, velocity);
        executable.Bind(op.Latents, latents);
        executable.Bind(op.Scalars, scalars);
        executable.Bind(op.Output, latents);
        executable.Run();
        var got = new float[op.Output.Shape.Count];
        latents.Read(got);
        Compare(expected, op.Output, expected.Outputs[op.Output], got);
    }

    /// <summary>Where a step begins from much noise, most of an edit's difference from the original's would be rounding in another order.</summary>
    [Fact]
    public void An_Euler_step_is_rounded_as_the_original_s_is()
    {
        SkipWhenAbsent();
        Assert.SkipWhen(Backend is OracleBackend, "The oracle rounds nothing.");
        foreach (var name in new[] { "euler 3x5 guided", "euler 3x5", "euler 1x1", "euler to the end", "euler one half to the end" })
        {
            var built = OpCases.All[name].Make();
            using var run = new GuardedRun(Backend, built);
            var op = (EulerOp)built.Graph.Ops[0];
            float[] velocity = built.Inputs[op.Velocity], latents = built.Inputs[op.Latents], scalars = built.Inputs[op.Scalars];
            var (sigma, next, weight) = (scalars[0], scalars[1], scalars[2]);
            var variance = (sigma * sigma) + 1;
            var want = latents.Select((x, i) =>
            {
                var v = velocity.Length == latents.Length ? velocity[i] : velocity[i] + (weight * (velocity[i + latents.Length] - velocity[i]));
                var clean = (v * (-sigma / MathF.Sqrt(variance))) + (x / variance);
                return x + ((x - clean) / sigma * (next - sigma));
            });
            Bits.AssertEqual([.. want], run.Run()[op.Output], $"{Profile.Name}: {name}");
        }
    }

    public void Dispose()
    {
        if (_backend.IsValueCreated)
        {
            _backend.Value.Dispose();
        }

        GC.SuppressFinalize(this);
    }

    private protected void SkipWhenAbsent()
    {
        var absence = Profile.Absence();
        Assert.SkipWhen(absence is not null, absence ?? "");
    }

    void Compare(Expectation expected, Value value, double[] want, float[] got)
    {
        var sensitivity = expected.Sensitivity[value];
        Assert.Equal(want.Length, got.Length);
        for (var i = 0; i < got.Length; i++)
        {
            Assert.True(
                double.IsNaN(want[i]) == float.IsNaN(got[i]),
                $"{Name()}: element {Position(value, i)} is {got[i]}, the oracle's is {want[i]}");
        }

        Within(0, got.Length, 1);
        if (expected.Built.Case.RowByRow)
        {
            var channels = value.Shape.Channels;
            for (var first = 0; first < got.Length; first += channels)
            {
                // One row has few elements, and its few errors scatter: twice the distance.
                Within(first, channels, 2);
            }
        }

        void Within(int first, int count, double slack)
        {
            double error = 0, size = 0, moves = 0;
            var worst = -1;
            for (var i = first; i < first + count; i++)
            {
                if (!double.IsNaN(want[i]))
                {
                    error += (got[i] - want[i]) * (got[i] - want[i]);
                    size += want[i] * want[i];
                    moves += double.IsNaN(sensitivity[i]) ? 0 : sensitivity[i];
                    worst = worst < 0 || Math.Abs(got[i] - want[i]) > Math.Abs(got[worst] - want[worst]) ? i : worst;
                }
            }

            if (worst < 0)
            {
                return;
            }

            var allowed = slack * Profile.Tolerance(Math.Sqrt(moves), Math.Sqrt(size), expected.Built.Terms);
            Assert.True(
                Math.Sqrt(error) <= allowed,
                $"{Name()}: relative L2 {Math.Sqrt(error / size):E2}, allowed {allowed / Math.Sqrt(size):E2}; "
                + $"the worst is {Position(value, worst)}: {got[worst]:R}, the oracle's {want[worst]:R}");
        }

        string Name() => $"{Profile.Name}: {expected.Built.Case.Name}: {value}";
    }

    static string Position(Value value, int index)
    {
        var at = new List<int>();
        for (var axis = value.Shape.Rank - 1; axis >= 0; axis--)
        {
            (index, var here) = Math.DivRem(index, value.Shape[axis]);
            at.Insert(0, here);
        }

        return $"[{string.Join(", ", at)}]";
    }
}
