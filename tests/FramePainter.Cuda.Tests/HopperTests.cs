using System.Security.Cryptography;
using System.Text;
using FramePainter.Conformance;
using FramePainter.Core.Tests.Engine;
using FramePainter.Cuda.Driver;
using FramePainter.Graphs;

namespace FramePainter.Cuda.Tests;

/// <summary>Which devices get Hopper's kernels, which products run on them, and what their PTX says about itself.</summary>
public sealed class HopperTests : IDisposable
{
    static readonly string s_kernels = Path.Combine(Repository.Root, "kernels");

    public HopperTests() => Emulator.Restore();

    /// <summary>PTX for sm_90a runs on compute capability 9.0 alone, by drivers of CUDA 12.</summary>
    [Trait("Needs", "emulator")]
    [Theory]
    [InlineData(12040, 8, 0, false)]
    [InlineData(12040, 8, 9, false)]
    [InlineData(12040, 9, 0, true)]
    [InlineData(11080, 9, 0, false)]
    [InlineData(12080, 10, 0, false)]
    public void Only_hopper_loads_its_kernels(int version, int major, int minor, bool expected)
    {
        Emulator.Machine(1, version, major, minor, (nuint)1 << 30);
        using var context = new CudaContext(0);
        Assert.Equal(expected, context.IsHopper);
        if (expected)
        {
            Assert.NotEqual(0, context.Kernels.Find("hopper_product_128x128", 0));
        }
        else
        {
            Assert.Throws<KeyNotFoundException>(() => context.Kernels.Find("hopper_product_128x128", 0));
        }
    }

    /// <summary>Hopper's kernels wait themselves for what is before them; a driver must record that, and copies of weights between launches are kept out of it.</summary>
    [Trait("Needs", "emulator")]
    [Theory]
    [InlineData(12040, false, true)]
    [InlineData(12030, false, false)]
    [InlineData(12040, true, false)]
    public void Launches_begin_early_where_drivers_record_it(int version, bool streams, bool expected)
    {
        Emulator.Machine(1, version, 9, 0, (nuint)1 << 30);
        using var backend = new CudaBackend(0, HopperRun.Every, streams ? new CudaOptions { MemoryBudget = 64 << 20, WeightMemory = 0 } : null);
        using var run = new GuardedRun(new InnerBackend(backend), OpCases.All["transformer"].Make());
        var before = Hopper.EarlyLaunches();
        run.Run();
        Assert.Equal(expected, Hopper.EarlyLaunches() > before);
    }

    /// <summary>A driver that does not take one of the texts for sm_90a still runs those for sm_80, and the backend says so.</summary>
    [Trait("Needs", "emulator")]
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public void Kernels_for_the_floor_run_where_the_driver_refuses_hoppers(int taken)
    {
        const int InvalidPtx = 218;
        var live = Emulator.Live();
        Emulator.Fail("cuModuleLoadData", InvalidPtx, KernelLibrary.Sources(Halves.Float16).Count() + taken);
        using (var backend = Hopper.Open(new CudaTuning(0, false)))
        {
            Emulator.Fail("cuModuleLoadData", 0, 0);
            Assert.Contains("sm_80", backend.Description, StringComparison.Ordinal);
            Assert.Contains("218", backend.Description, StringComparison.Ordinal);
            var before = Hopper.Products();
            var built = OpCases.All["transformer"].Make();
            using var run = new GuardedRun(new InnerBackend(backend), built);
            run.Run();
            Assert.Equal(before, Hopper.Products());
        }

        Assert.Equal(live, Emulator.Live());
    }

    /// <summary>Linear maps, convolutions of stride 1 or 2 or of a doubled input, and convolutions over time run on wgmma; the rest falls back to sm_80.</summary>
    [Trait("Needs", "emulator")]
    [Fact]
    public void Products_run_on_warpgroups_where_rows_are_boxes()
    {
        var kinds = new Dictionary<string, bool>();
        foreach (var name in OpCases.All.Keys)
        {
            var built = OpCases.All[name].Make();
            if (built.Graph.Ops is not [ProductOp op] || built.Case.Adversity is not Adversity.None
                || op.Input.Shape.Channels % 8 != 0 || op.Output.Shape.Channels % 8 != 0 || (op.Input.Second is { } second && second.Shape.Channels % 8 != 0))
            {
                continue;
            }

            var kind = op switch
            {
                ConvOp { Stride: > 2 } => "conv of a large stride",
                ConvOp { Upsample: false, Stride: 2 } => "conv strided",
                ConvOp { Upsample: true, KernelHeight: 3, KernelWidth: 3, Stride: 1 } doubled when doubled.Padding == Padding.Same(1) => "conv doubled",
                ConvOp { Upsample: true } => "conv doubled in another way",
                ConvOp => "conv",
                LinearOp { ImageStride: > 1 } => "linear strided",
                _ => op.GetType().Name,
            };
            if (kinds.ContainsKey(kind))
            {
                continue;
            }

            var before = Hopper.Products();
            using var backend = new InnerBackend(Hopper.Open(new CudaTuning(0, false)));
            using var run = new GuardedRun(backend, built);
            run.Run();
            kinds.Add(kind, Hopper.Products() > before);
        }

        Assert.NotEmpty(kinds);
        foreach (var (kind, onWarpgroups) in kinds)
        {
            Assert.True(onWarpgroups == kind is not ("conv of a large stride" or "conv doubled in another way"), $"{kind}: {onWarpgroups}");
        }

        Assert.Contains(nameof(LinearOp), kinds.Keys);
        Assert.Contains("conv", kinds.Keys);
    }

    [Fact]
    public void Its_ptx_is_of_the_sources_beside_it()
    {
        var lines = new StringBuilder();
        foreach (var (folder, pattern, prefix) in new[] { ("hopper", "*.cu", "hopper/"), ("hopper", "*.h", "hopper/"), (".", "*.h", "./") })
        {
            foreach (var path in Directory.GetFiles(Path.Combine(s_kernels, folder), pattern).OrderBy(Path.GetFileName, StringComparer.Ordinal))
            {
                lines.Append(Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(path)))).Append("  ").Append(prefix).Append(Path.GetFileName(path)).Append('\n');
            }
        }

        var hash = Convert.ToHexStringLower(SHA256.HashData(Encoding.ASCII.GetBytes(lines.ToString())));
        Assert.Equal(File.ReadAllText(Path.Combine(s_kernels, "ptx", "hopper.sha256")).Trim(), hash);
    }

    [Theory]
    [InlineData("hopper_product_128x128", "m64n128k16", Precision.Float32)]
    [InlineData("hopper_product_128x160", "m64n160k16", Precision.Float32)]
    [InlineData("hopper_product_128x192", "m64n192k16", Precision.Float32)]
    [InlineData("hopper_product_64x160", "m64n160k16", Precision.Float32)]
    [InlineData("hopper_product_128x128", "m64n128k16", Precision.BFloat16)]
    [InlineData("hopper_product_128x160", "m64n160k16", Precision.BFloat16)]
    [InlineData("hopper_product_128x192", "m64n192k16", Precision.BFloat16)]
    [InlineData("hopper_product_64x160", "m64n160k16", Precision.BFloat16)]
    public void Its_ptx_multiplies_by_warpgroups_and_copies_by_tensors(string name, string shape, Precision precision)
    {
        var (kernel, type) = precision == Precision.BFloat16 ? (name + "_bf16", "bf16.bf16") : (name, "f16.f16");
        var text = KernelLibrary.HopperSources(HalvesExtensions.Of(precision)).Single(s => s.Text.Contains($".entry {kernel}(", StringComparison.Ordinal)).Text;
        Assert.Contains(".version 8.0", text, StringComparison.Ordinal);
        Assert.Contains(".target sm_90a", text, StringComparison.Ordinal);
        Assert.DoesNotContain(".local", text, StringComparison.Ordinal);
        Assert.DoesNotContain(".extern .func", text, StringComparison.Ordinal);
        var start = text.IndexOf($".entry {kernel}(", StringComparison.Ordinal);
        var next = text.IndexOf(".entry ", start + 1, StringComparison.Ordinal);
        var body = text[start..(next < 0 ? text.Length : next)];
        // Four steps of 16 a stage; clang peels a loop now and then.
        var products = body.Split($"wgmma.mma_async.sync.aligned.{shape}.f32.{type}").Length - 1;
        Assert.True(products > 0 && products % 4 == 0, $"{products} products");
        // One warpgroup that multiplies has registers enough without those of the one that copies.
        var isAlone = name is "hopper_product_128x192" or "hopper_product_64x160";
        string[] moves = isAlone ? [] : ["setmaxnreg.dec.sync.aligned.u32", "setmaxnreg.inc.sync.aligned.u32"];
        foreach (var instruction in (string[])[
            .. moves, "griddepcontrol.launch_dependents", "griddepcontrol.wait", "cp.async.bulk.tensor.4d.shared::cluster.global.tile.mbarrier::complete_tx::bytes", "cp.async.bulk.tensor.2d.shared::cluster.global.tile",
            "mbarrier.init.shared::cta.b64", "mbarrier.arrive.expect_tx.shared::cta.b64", "mbarrier.try_wait.parity.shared::cta.b64", "mbarrier.arrive.shared::cta.b64",
            "wgmma.fence.sync.aligned", "wgmma.commit_group.sync.aligned", "wgmma.wait_group.sync.aligned",
            "fence.mbarrier_init.release.cluster", "cp.async.bulk.tensor.4d.global.shared::cta.tile.bulk_group", "cp.async.bulk.commit_group", "cp.async.bulk.wait_group.read 0",
            "fence.proxy.async.shared::cta"])
        {
            Assert.Contains(instruction, body, StringComparison.Ordinal);
        }

        // Operands come by tensors alone. (Of a kernel with one warpgroup clang puts the tile's end, which reads a bias, between the first step and the others.)
        Assert.All(body.Split("wgmma.fence.sync")[1..], step => Assert.DoesNotContain("ld.global", step[..step.IndexOf("wgmma.commit_group", StringComparison.Ordinal)], StringComparison.Ordinal));
        Assert.True(isAlone || !body[..body.LastIndexOf("wgmma.mma_async", StringComparison.Ordinal)].Contains("ld.global", StringComparison.Ordinal), "global memory is read before the last product");
        Assert.DoesNotContain("mma.sync", body.Replace("wgmma.mma_async.sync", "", StringComparison.Ordinal), StringComparison.Ordinal);
    }

    /// <inheritdoc/>
    public void Dispose() => Emulator.Restore();
}
