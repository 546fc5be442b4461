using FramePainter.Conformance;
using FramePainter.Graphs;
using FramePainter.Tensors;

namespace FramePainter.Cuda.Tests;

/// <summary>Values inside a plan reach the kernels that are made for their width; others reach the general twins.</summary>
[Trait("Needs", "emulator")]
public sealed class NormLaunchTests
{
    [Theory]
    [InlineData(320, "moments_part_8", "group_norm_8")]
    [InlineData(960, "moments_part_8", "group_norm_8")]
    [InlineData(2560, "moments_part_8", "group_norm_8")]
    [InlineData(2624, "moments_part_1", "moments_join", "group_norm_1")]
    [InlineData(36, "moments_part_1", "moments_join", "group_norm_1")]
    public void Group_norms(int channels, params string[] kernels) =>
        Assert.Equal(kernels, Kernels((g, x) => g.GroupNorm(x, Vector(channels), Vector(channels), 4, 1e-5f), channels));

    /// <summary>Chunks of statistics that are too many for every block to join are joined by a kernel between, to the same bits.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void Many_chunks_are_joined_once(int frames)
    {
        var c = new OpCase("norm", typeof(GroupNormOp), c => c.Graph.Output(c.Graph.GroupNorm(c.Data(2, 40, 40, 64), c.Vector(64), c.Vector(64), 8, 1e-5f, frames: frames), "out")).Make();
        var (each, once) = (Run(CudaTuning.Default with { NormBlocks = 80 }), Run(CudaTuning.Default with { NormBlocks = 80, JoinedChunks = 32 }));
        Assert.Equal(["moments_part_8", "group_norm_8"], each.Kernels);
        Assert.Equal(["moments_part_8", "moments_fold", "group_norm_8"], once.Kernels);
        Bits.AssertEqual(each.Values, once.Values, "values");

        (IEnumerable<string> Kernels, float[] Values) Run(CudaTuning tuning)
        {
            using var backend = new InnerBackend(new CudaBackend(0, tuning));
            using var run = new GuardedRun(backend, c);
            return (((CudaExecutable)run.Executable).Launches.Select(l => l.Kernel).ToArray()[1..^1], run.Run().Values.Single());
        }
    }

    [Theory]
    [InlineData(320, "layer_norm_320")]
    [InlineData(640, "layer_norm_640")]
    [InlineData(1280, "layer_norm_1280")]
    [InlineData(960, "layer_norm_8")]
    [InlineData(36, "layer_norm_1")]
    public void Layer_norms(int channels, string kernel) =>
        Assert.Equal([kernel], Kernels((g, x) => g.LayerNorm(x, Vector(channels), Vector(channels), 1e-5f), channels));

    [Theory]
    [InlineData(5, 64, "temporal_attention_8")]
    [InlineData(2, 256, "temporal_attention_8")]
    [InlineData(2, 40, "temporal_attention")]
    [InlineData(4, 7, "temporal_attention")]
    public void Attention_over_frames(int heads, int headDim, string kernel)
    {
        var width = heads * headDim;
        Assert.Equal([kernel], Kernels((g, x) => g.TemporalAttention(new Qkv(new(x, 0), new(x, width), new(x, 2 * width)), heads, headDim), 3 * width));
    }

    static WeightVector Vector(int count) => WeightVector.Of("vector", count);

    /// <summary>The kernels of an op between two copies.</summary>
    static IEnumerable<string> Kernels(Func<GraphBuilder, Value, Value> add, int channels)
    {
        using var backend = CudaBackend.Open();
        var g = new GraphBuilder();
        var input = g.Input("x", Rate.Edit, 2, 2, 3, channels);
        g.Output(g.Activate(add(g, g.Activate(input, Activation.Relu)), Activation.Relu), "y");
        var graph = g.Build("one op");
        using var weights = new MemoryWeights();
        weights.AddRandom("vector", DType.F16, new Shape(channels), new Random(1));
        using var store = backend.CreateStore(weights);
        using var executable = (CudaExecutable)backend.Compile(Planner.Plan(graph), store);
        using var x = backend.Allocate(input.Bytes);
        using var y = backend.Allocate(graph.Outputs[0].Bytes);
        x.Write(new float[input.Shape.Count]);
        executable.Bind(input, x);
        executable.Bind(graph.Outputs[0], y);
        return executable.Time(1).Select(l => l.Launch.Kernel).ToArray()[1..^1];
    }
}
