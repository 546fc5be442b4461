using System.Security.Cryptography;
using System.Text;
using FramePainter.Core.Tests.Engine;
using FramePainter.Cuda.Driver;

namespace FramePainter.Cuda.Tests;

/// <summary>What the committed PTX says about itself; only a driver can say more.</summary>
public sealed class PtxTests
{
    static readonly string s_kernels = Path.Combine(Repository.Root, "kernels");

    /// <summary>Names of all embedded texts.</summary>
    public static TheoryData<string> Names => [.. KernelLibrary.Sources().Select(s => s.Name)];

    [Fact]
    public void It_is_of_the_sources_beside_it()
    {
        var lines = new StringBuilder();
        foreach (var path in Directory.GetFiles(s_kernels, "*.cu").Concat(Directory.GetFiles(s_kernels, "*.h")).OrderBy(p => Path.GetExtension(p) == ".h").ThenBy(Path.GetFileName, StringComparer.Ordinal))
        {
            lines.Append(Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(path)))).Append("  ").Append(Path.GetFileName(path)).Append('\n');
        }

        var hash = Convert.ToHexStringLower(SHA256.HashData(Encoding.ASCII.GetBytes(lines.ToString())));
        Assert.Equal(File.ReadAllText(Path.Combine(s_kernels, "ptx", "sources.sha256")).Trim(), hash);
    }

    [Fact]
    public void Every_source_has_its_text_and_no_text_is_left_over() =>
        Assert.Equal(
            Directory.GetFiles(s_kernels, "*.cu").Select(p => Path.GetFileNameWithoutExtension(p) + ".sm_80.ptx").Order(StringComparer.Ordinal),
            KernelLibrary.Sources().Select(s => s.Name));

    [Theory]
    [MemberData(nameof(Names))]
    public void It_is_for_the_floor_and_complete(string name)
    {
        var text = Text(name);
        Assert.Contains(".version 7.8", text, StringComparison.Ordinal);
        Assert.Contains(".target sm_80", text, StringComparison.Ordinal);
        Assert.DoesNotContain(".local", text, StringComparison.Ordinal);
        Assert.DoesNotContain(".extern .func", text, StringComparison.Ordinal);
        Assert.Contains(".entry ", text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("product_linear_128", 32)]
    [InlineData("product_linear_64", 16)]
    [InlineData("product_conv_128", 32)]
    [InlineData("product_conv_64", 16)]
    [InlineData("product_temporal_128", 32)]
    [InlineData("product_temporal_64", 16)]
    [InlineData("attention_16", 16)]
    [InlineData("attention_64", 64)]
    [InlineData("attention_128", 128)]
    public void Hot_kernels_use_tensor_cores_and_copy_sixteen_bytes_at_a_time(string kernel, int products)
    {
        var body = Body(kernel);
        // Clang peels a loop now and then: a whole number of bodies.
        var found = Count(body, "mma.sync.aligned.m16n8k16");
        Assert.True(found > 0 && found % products == 0, $"{found} products, not a multiple of {products}");
        Assert.Contains("cp.async.cg.shared.global", body, StringComparison.Ordinal);
        Assert.Contains("ldmatrix.sync.aligned.m8n8.x4.shared", body, StringComparison.Ordinal);
        // What is stored may be narrow; what is multiplied is not.
        Assert.DoesNotMatch(@"ld\.global(\.nc)?\.[ub]16", body[..body.LastIndexOf("mma.sync", StringComparison.Ordinal)]);
        if (kernel.StartsWith("attention", StringComparison.Ordinal))
        {
            Assert.Contains("ldmatrix.sync.aligned.m8n8.x4.trans", body, StringComparison.Ordinal);
            Assert.DoesNotContain("ld.global", body, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("group_norm_8")]
    [InlineData("layer_norm_8")]
    [InlineData("layer_norm_320")]
    [InlineData("layer_norm_640")]
    [InlineData("layer_norm_1280")]
    [InlineData("temporal_attention_8")]
    [InlineData("activate_8")]
    [InlineData("blend_8")]
    [InlineData("wide_pack")]
    [InlineData("wide_transpose")]
    public void Wide_kernels_move_sixteen_bytes_at_a_time(string kernel)
    {
        var body = Body(kernel);
        Assert.Matches(@"ld\.global(\.nc)?\.v4", body);
        Assert.Matches(@"st\.global\.v4", body);
    }

    [Theory]
    [InlineData("moments_part_8", 4)]
    [InlineData("group_norm_8", 2)]
    [InlineData("layer_norm_320", 5)]
    [InlineData("temporal_attention_8", 6)]
    public void Norms_ask_for_several_positions_before_they_use_the_first(string kernel, int loads)
    {
        var (run, longest) = (0, 0);
        foreach (var line in Body(kernel).Split('\n'))
        {
            // Nothing is widened or computed between them.
            run = line.Contains(".f16", StringComparison.Ordinal) || line.Contains(".f32", StringComparison.Ordinal) ? 0
                : run + (line.Contains("ld.global.v4.u32", StringComparison.Ordinal) || line.Contains("ld.global.nc.v4.u32", StringComparison.Ordinal) ? 1 : 0);
            longest = Math.Max(longest, run);
        }

        Assert.True(longest >= loads, $"{longest} loads of halves at once, not {loads}");
    }

    static string Text(string name) => KernelLibrary.Sources().Single(s => s.Name == name).Text;

    static string Body(string kernel)
    {
        var text = KernelLibrary.Sources().Single(s => s.Text.Contains($".entry {kernel}(", StringComparison.Ordinal)).Text;
        var start = text.IndexOf($".entry {kernel}(", StringComparison.Ordinal);
        return text[start..text.IndexOf("\n}", start, StringComparison.Ordinal)];
    }

    static int Count(string text, string part) => text.Split(part).Length - 1;
}
