using System.Security.Cryptography;
using System.Text;
using FramePainter.Core.Tests.Engine;
using FramePainter.Cuda.Driver;

namespace FramePainter.Cuda.Tests;

/// <summary>What the committed PTX says about itself; only a driver can say more.</summary>
public sealed class PtxTests
{
    static readonly string s_kernels = Path.Combine(Repository.Root, "kernels");

    /// <summary>All embedded texts for the floor, of both kinds of halves.</summary>
    static IEnumerable<(string Name, string Text)> All => Enum.GetValues<Halves>().SelectMany(KernelLibrary.Sources);

    /// <summary>Their names.</summary>
    public static TheoryData<string> Names => [.. All.Select(s => s.Name)];

    /// <summary>Names of the texts of bfloat16, Hopper's among them.</summary>
    public static TheoryData<string> BrainNames => [.. KernelLibrary.Sources(Halves.BFloat16).Concat(KernelLibrary.HopperSources(Halves.BFloat16)).Select(s => s.Name)];

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
    public void Every_source_has_its_two_texts_and_no_text_is_left_over()
    {
        AssertNames("*.cu", [".sm_80.ptx", ".bf16.sm_80.ptx"], KernelLibrary.Sources);
        AssertNames("hopper/*.cu", [".sm_90a.ptx", ".bf16.sm_90a.ptx"], KernelLibrary.HopperSources);

        static void AssertNames(string sources, string[] endings, Func<Halves, IEnumerable<(string Name, string Text)>> texts)
        {
            var names = Directory.GetFiles(s_kernels, sources).Select(Path.GetFileNameWithoutExtension).ToArray();
            Assert.NotEmpty(names);
            Assert.Equal(names.Select(n => n + endings[0]).Order(StringComparer.Ordinal), texts(Halves.Float16).Select(s => s.Name));
            Assert.Equal(names.Select(n => n + endings[1]).Order(StringComparer.Ordinal), texts(Halves.BFloat16).Select(s => s.Name));
        }
    }

    /// <summary>No instruction of float16 is left in them: it would read bfloat16 as numbers that they are not. The names of kernels are those of the others, marked.</summary>
    [Theory]
    [MemberData(nameof(BrainNames))]
    public void Texts_of_bfloat16_hold_no_float16(string name)
    {
        var sources = Enum.GetValues<Halves>().SelectMany(h => KernelLibrary.Sources(h).Concat(KernelLibrary.HopperSources(h))).ToDictionary(s => s.Name, s => s.Text);
        var (brain, half) = (sources[name], sources[name.Replace(".bf16", "", StringComparison.Ordinal)]);
        Assert.DoesNotMatch(@"\.f16", brain);
        Assert.DoesNotContain("bf16", half, StringComparison.Ordinal);
        Assert.Equal(Entries(half).Select(e => e + "_bf16"), Entries(brain));
        Assert.Equal(Count(half, ".f32.f16.f16"), Count(brain, ".f32.bf16.bf16"));
        // Rounded to nearest even, by the one instruction for it.
        Assert.Equal(half.Contains("cvt.rn.f16.f32", StringComparison.Ordinal) || half.Contains("cvt.rn.f16x2.f32", StringComparison.Ordinal), brain.Contains("cvt.rn.bf16x2.f32", StringComparison.Ordinal));

        static IEnumerable<string> Entries(string text) => text.Split(".entry ").Skip(1).Select(part => part[..part.IndexOf('(', StringComparison.Ordinal)]);
    }

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
        foreach (var (name, type) in new[] { (kernel, "f16"), (kernel + "_bf16", "bf16") })
        {
            var body = Body(name);
            // Clang peels a loop now and then: a whole number of bodies.
            var found = Count(body, $"mma.sync.aligned.m16n8k16.row.col.f32.{type}.{type}.f32");
            Assert.True(found > 0 && found % products == 0, $"{name}: {found} products, not a multiple of {products}");
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
        foreach (var body in new[] { Body(kernel), Body(kernel + "_bf16") })
        {
            Assert.Matches(@"ld\.global(\.nc)?\.v4", body);
            Assert.Matches(@"st\.global\.v4", body);
        }
    }

    [Theory]
    [InlineData("moments_part_8", 4)]
    [InlineData("group_norm_8", 2)]
    [InlineData("layer_norm_320", 5)]
    [InlineData("temporal_attention_8", 6)]
    public void Norms_ask_for_several_positions_before_they_use_the_first(string kernel, int loads)
    {
        foreach (var name in new[] { kernel, kernel + "_bf16" })
        {
            var (run, longest) = (0, 0);
            foreach (var line in Body(name).Split('\n'))
            {
                // Nothing is widened or computed between them.
                run = line.Contains(".f16", StringComparison.Ordinal) || line.Contains(".f32", StringComparison.Ordinal) ? 0
                    : run + (line.Contains("ld.global.v4.u32", StringComparison.Ordinal) || line.Contains("ld.global.nc.v4.u32", StringComparison.Ordinal) ? 1 : 0);
                longest = Math.Max(longest, run);
            }

            Assert.True(longest >= loads, $"{name}: {longest} loads of halves at once, not {loads}");
        }
    }

    /// <summary>The greatest score less itself is zero, whatever its size: the product that made it is rounded before it is subtracted.</summary>
    [Theory]
    [InlineData("attention_any")]
    [InlineData("attention_probabilities")]
    [InlineData("temporal_attention")]
    public void Scores_are_rounded_before_they_are_subtracted(string kernel)
    {
        foreach (var name in new[] { kernel, kernel + "_bf16" })
        {
            // Of each line the instruction and its operands.
            var lines = Body(name).Split('\n').Select(line => line.Split(['\t', ' ', ',', ';'], StringSplitOptions.RemoveEmptyEntries)).Where(line => line.Length > 1).ToArray();
            var differences = 0;
            for (var i = 0; i < lines.Length; i++)
            {
                if (lines[i][0].StartsWith("ex2.approx", StringComparison.Ordinal))
                {
                    Assert.Equal("sub.f32", lines[..i].Last(line => line[1] == lines[i][2])[0]);
                    differences++;
                }
            }

            Assert.True(differences >= 2, $"{name}: {differences} exponentials");
        }
    }

    static string Text(string name) => All.Single(s => s.Name == name).Text;

    static string Body(string kernel)
    {
        var text = All.Single(s => s.Text.Contains($".entry {kernel}(", StringComparison.Ordinal)).Text;
        var start = text.IndexOf($".entry {kernel}(", StringComparison.Ordinal);
        return text[start..text.IndexOf("\n}", start, StringComparison.Ordinal)];
    }

    static int Count(string text, string part) => text.Split(part).Length - 1;
}
