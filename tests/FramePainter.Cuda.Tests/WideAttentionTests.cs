using FramePainter.Conformance;
using FramePainter.Graphs;

namespace FramePainter.Cuda.Tests;

/// <summary>Attention with one wide head as products: which attentions take that path, and that parts and orders do not show. Values: the conformance suite.</summary>
public sealed class WideAttentionTests : IDisposable
{
    /// <summary>So little scratch memory that query rows go by single tiles.</summary>
    static readonly CudaTuning s_parts = CudaTuning.Default with { WideScratch = 1 };

    /// <summary>No row of scores fits shared memory.</summary>
    static readonly CudaTuning s_long = CudaTuning.Default with { HeldWideRow = 0 };

    public WideAttentionTests() => Emulator.Restore();

    [Theory]
    [InlineData(1, 64, 64, 136, 0, "wide")]
    [InlineData(1, 65, 200, 512, 8, "wide")]
    [InlineData(1, 63, 64, 136, 0, "attention_any")]
    [InlineData(1, 64, 63, 136, 0, "attention_any")]
    [InlineData(1, 64, 64, 132, 0, "attention_any")]
    [InlineData(1, 64, 64, 136, 4, "attention_any")]
    [InlineData(2, 64, 64, 136, 0, "attention_any")]
    [InlineData(1, 64, 64, 128, 0, "attention_128")]
    public void One_wide_head_of_halves_becomes_products(int heads, int tokens, int keys, int headDim, int first, string kernel)
    {
        var built = Case(heads, tokens, keys, headDim, first);
        Assert.Equal(kernel, Name(Kernels(built, CudaTuning.Default)));
        Assert.Equal("attention_any", Name(Kernels(built, new CudaTuning(double.PositiveInfinity, true))));

        static string Name(List<string> kernels) =>
            kernels is ["wide_pack", "wide_transpose", .., var scores, "wide_softmax", var sums] && scores.Contains("product", StringComparison.Ordinal) && sums.Contains("product", StringComparison.Ordinal)
                ? "wide" : string.Join(' ', kernels);
    }

    /// <summary>200 rows in one part and in two, of which the second is not full, and on small tiles; queries in place and packed.</summary>
    [Theory]
    [InlineData("attention wide 1 images of 200 136 channels fused", 1)]
    [InlineData("attention wide 1 images 1 key images 200x130 512 channels times 1", 0)]
    public void Parts_and_tiles_do_not_show(string name, int packsOfQueries)
    {
        var built = OpCases.All[name].Make();
        Assert.Equal(1, Kernels(built, CudaTuning.Default).Count(k => k == "wide_softmax"));
        var kernels = Kernels(built, s_parts);
        Assert.Equal(2, kernels.Count(k => k == "wide_softmax"));
        Assert.Equal(1 + (2 * packsOfQueries), kernels.Count(k => k == "wide_pack"));
        var whole = Run(built, CudaTuning.Default);
        AssertSame(whole, Run(built, s_parts));
        AssertSame(whole, Run(built, s_long));
        AssertSame(whole, Run(built, new CudaTuning(double.PositiveInfinity, false)));
    }

    /// <summary>The autoencoder's pictures of more than 1.57 million pixels.</summary>
    [Theory]
    [InlineData(24 << 10, "wide_softmax")]
    [InlineData((24 << 10) + 1, "wide_softmax_long")]
    [InlineData(1 << 16, "wide_softmax_long")]
    public void Rows_longer_than_shared_memory_stay_in_memory(int keys, string softmax)
    {
        using var backend = new InnerBackend(new CudaBackend(0, CudaTuning.Default));
        var built = Case(1, 64, keys, 136, 0);
        using var store = backend.CreateStore(built.Weights);
        using var executable = (CudaExecutable)backend.Compile(Planner.Plan(built.Graph), store);
        Assert.Equal(softmax, executable.Launches.Single(l => l.Kernel.StartsWith("wide_softmax", StringComparison.Ordinal)).Kernel);
    }

    /// <summary>What one plan asked for is not taken back by another's, smaller: the driver's limit is of the kernel, not of the launch.</summary>
    [Fact]
    public void Plans_of_less_shared_memory_leave_those_of_more_alone()
    {
        using var backend = new InnerBackend(new CudaBackend(0, CudaTuning.Default));
        using var larger = new GuardedRun(backend, Case(1, 64, 13000, 136, 0));
        using var smaller = new GuardedRun(backend, Case(1, 64, 12500, 136, 0));
        Assert.NotEmpty(larger.Run());
        Assert.NotEmpty(smaller.Run());
    }

    /// <summary>Images that share keys share their packing.</summary>
    [Fact]
    public void Keys_are_packed_once_for_all_images_that_read_them()
    {
        var kernels = Kernels(OpCases.All["attention wide 4 images 2 key images 64x65 160 channels times 1"].Make(), CudaTuning.Default);
        Assert.Equal(2, kernels.Count(k => k == "wide_transpose"));
        Assert.Equal(4, kernels.Count(k => k == "wide_softmax"));
    }

    [Fact]
    [Trait("Needs", "emulator")]
    public void Orders_of_threads_and_copies_do_not_show()
    {
        var built = OpCases.All["attention wide 2 images of 130 160 channels fused"].Make();
        Emulator.Order(deferred: false, reverse: false);
        var want = Run(built, s_parts);
        foreach (var (deferred, reverse) in new[] { (false, true), (true, false), (true, true) })
        {
            Emulator.Order(deferred, reverse);
            AssertSame(want, Run(built, s_parts));
        }
    }

    public void Dispose() => Emulator.Order(deferred: false, reverse: false);

    static BuiltCase Case(int heads, int tokens, int keys, int headDim, int first) => new OpCase("attention", typeof(AttentionOp), c =>
    {
        var width = heads * headDim;
        Channels Part(int count) => new(c.Data(1, count, first + width), first);
        c.Graph.Output(c.Graph.Attention(new Qkv(Part(tokens), Part(keys), Part(keys)), heads, headDim), "out");
    }).Make();

    /// <summary>Kernels of the attention, without the copies to and from the plan's border.</summary>
    static List<string> Kernels(BuiltCase built, CudaTuning tuning)
    {
        using var backend = new InnerBackend(new CudaBackend(0, tuning));
        using var run = new GuardedRun(backend, built);
        return [.. ((CudaExecutable)run.Executable).Time(1).Where(l => l.Launch.Op is AttentionOp).Select(l => l.Launch.Kernel)];
    }

    static Dictionary<Value, float[]> Run(BuiltCase built, CudaTuning tuning)
    {
        using var backend = new InnerBackend(new CudaBackend(0, tuning));
        using var run = new GuardedRun(backend, built);
        return run.Run();
    }

    static void AssertSame(Dictionary<Value, float[]> want, Dictionary<Value, float[]> got)
    {
        Assert.NotEmpty(want);
        foreach (var (value, elements) in want)
        {
            Bits.AssertEqual(elements, got[value], $"{value}");
        }
    }
}
