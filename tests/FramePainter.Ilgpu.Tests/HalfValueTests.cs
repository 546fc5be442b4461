using FramePainter.Conformance;
using FramePainter.Graphs;

namespace FramePainter.Ilgpu.Tests;

/// <summary>Values inside plans as halves: what is rounded, what is not, and what memory it takes.</summary>
public sealed class HalfValueTests
{
    const float Between = 1 + (1f / 4096);

    [Theory]
    [InlineData(ActivationStorage.Float32, 8, Between)]
    [InlineData(ActivationStorage.Half, 8, 1f)]
    [InlineData(ActivationStorage.Half, 4, Between)]
    public void Only_pictures_and_tokens_inside_are_rounded(ActivationStorage storage, int channels, float want)
    {
        Assert.SkipWhen(Pocl.Absence is not null, Pocl.Absence ?? "");
        var (graph, x, y) = Chain(2, channels);
        using var backend = Pocl.Create(new IlgpuOptions { Activations = storage });
        using var store = backend.CreateStore(new MemoryWeights());
        using var executable = backend.Compile(Planner.Plan(graph), store);
        using var input = backend.Allocate(x.Bytes);
        using var output = backend.Allocate(y.Bytes);
        input.Write([.. Enumerable.Repeat(Between, (int)x.Shape.Count)]);
        executable.Bind(x, input);
        executable.Bind(y, output);
        executable.Run();
        var got = new float[y.Shape.Count];
        output.Read(got);
        Assert.All(got, value => Assert.Equal(want, value));
    }

    [Fact]
    public void Values_take_half_the_memory_and_the_device_says_so()
    {
        Assert.SkipWhen(Pocl.Absence is not null, Pocl.Absence ?? "");
        var (graph, x, _) = Chain(5, 64);
        long Bytes(ActivationStorage storage)
        {
            using var backend = Pocl.Create(new IlgpuOptions { Activations = storage });
            Assert.Equal(storage == ActivationStorage.Half, backend.Description.EndsWith("activations as halves", StringComparison.Ordinal));
            using var store = backend.CreateStore(new MemoryWeights());
            using var executable = backend.Compile(Planner.Plan(graph), store);
            using var counting = backend.CreateCounting();
            using var counted = counting.Compile(Planner.Plan(graph), counting.CreateStore(new MemoryWeights()));
            Assert.Equal(executable.Bytes, counted.Bytes);
            return executable.Bytes;
        }

        var floats = Bytes(ActivationStorage.Float32);
        Assert.InRange(floats, x.Bytes, 3 * x.Bytes);
        // Scratch that nothing wants is one float.
        Assert.Equal((floats - sizeof(float)) / 2, Bytes(ActivationStorage.Half) - sizeof(float));
    }

    [Fact]
    public void A_kind_that_is_not_named_is_refused() => Assert.Equal(
        nameof(IlgpuOptions.Activations),
        Assert.Throws<OptionException>(() => new IlgpuBackend(IlgpuDevice.Cpu, new IlgpuOptions { Activations = (ActivationStorage)7 })).Option);

    /// <summary>So many values inside, each a copy of the one before.</summary>
    static (Graph Graph, Value Input, Value Output) Chain(int length, int channels)
    {
        var g = new GraphBuilder();
        var x = g.Input("x", Rate.Edit, [1, 40, channels]);
        var y = x;
        for (var i = 0; i <= length; i++)
        {
            y = g.Activate(y, Activation.Relu);
        }

        g.Output(y, "y");
        var graph = g.Build("chain");
        return (graph, graph.Inputs[0], graph.Outputs[0]);
    }
}
