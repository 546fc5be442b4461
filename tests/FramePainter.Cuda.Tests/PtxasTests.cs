using System.Text.Json;
using System.Text.RegularExpressions;
using FramePainter.Core.Tests.Engine;

namespace FramePainter.Cuda.Tests;

/// <summary>What NVIDIA's assembler makes of the committed PTX, where <c>kernels/fetch-ptxas.sh</c> or the PATH has it. It needs no GPU.</summary>
public sealed partial class PtxasTests : IDisposable
{
    const string Tool = "ptxas";

    readonly string _folder = Directory.CreateTempSubdirectory("ptxas-").FullName;

    /// <summary>Texts for sm_80 are assembled for sm_90, as the driver of a Hopper does with norms; with FRAMEPAINTER_FULL=1 for others too.</summary>
    [Fact]
    public async Task Every_text_is_accepted_and_no_kernel_spills_registers()
    {
        string[] archs = Environment.GetEnvironmentVariable("FRAMEPAINTER_FULL") == "1" ? ["sm_90", "sm_80", "sm_86", "sm_89"] : ["sm_90"];
        var (code, output, _) = await ProgramRun.Of("bash", [Path.Combine(Repository.Root, "kernels", "ptxas.sh"), Find(Tool), _folder, .. archs]);
        Assert.True(code == 0, output);
        var kernels = JsonDocument.Parse(await File.ReadAllTextAsync(Path.Combine(_folder, "ptxas.json"), TestContext.Current.CancellationToken)).RootElement.EnumerateArray().ToArray();
        Assert.All(kernels, k => Assert.Equal(0, k.GetProperty("spill_bytes").GetInt32()));
        foreach (var (name, arch) in archs.Select(a => ("group_norm_8", a)).Append(("hopper_product_128x160_bf16", "sm_90a")))
        {
            Assert.Single(kernels, k => k.GetProperty("kernel").GetString() == name && k.GetProperty("arch").GetString() == arch);
        }
    }

    /// <summary>A power of two whose subnormal results are kept takes four instructions in place of one; a division of 64 bits is a call, which keeps few registers.</summary>
    [Theory]
    [InlineData("hopper_attention.sm_90a", "hopper_attention_192x64")]
    [InlineData("hopper_product.sm_90a", "hopper_product_128x160")]
    [InlineData("attention_flash.sm_80", "attention_64")]
    [InlineData("product_linear.sm_80", "product_linear_128")]
    [InlineData("product_conv.sm_80", "product_conv_128")]
    [InlineData("norms.sm_80", "group_norm_8")]
    public async Task Exponentials_are_one_instruction_and_divisions_no_calls(string text, string kernel)
    {
        var sass = await Disassemble(text, kernel);
        Assert.Contains("MUFU.EX2", sass, StringComparison.Ordinal);
        Assert.DoesNotMatch(Subnormal(), sass);
        Assert.DoesNotMatch(Division(), sass);
    }

    /// <summary>
    /// Attention's exponentials come between the wait for scores and that for the values' products, which are under way meanwhile. Nothing but a branch that wants their sums keeps the
    /// assembler from waiting first. Up to that branch no scores are compared, but the sums of two rows.
    /// </summary>
    [Theory]
    [InlineData("hopper_attention_192x64")]
    [InlineData("hopper_attention_128x64")]
    public async Task Values_are_awaited_behind_the_exponentials(string kernel)
    {
        var sass = await Disassemble("hopper_attention.sm_90a", kernel);
        var scores = sass.LastIndexOf("HGMMA.64x128x16", StringComparison.Ordinal);
        var scored = sass.IndexOf("WARPGROUP.DEPBAR.LE gsb0, 0x1", scores, StringComparison.Ordinal);
        var added = sass.IndexOf("VOTE.ANY", scored, StringComparison.Ordinal);
        var awaited = sass.IndexOf("WARPGROUP.DEPBAR.LE gsb0, 0x0", scores, StringComparison.Ordinal);
        Assert.InRange(scored, scores, added);
        Assert.InRange(added, scored, awaited);
        Assert.Equal(8, Regex.Count(sass[scores..scored], "HGMMA.64x64x16", RegexOptions.None, TimeSpan.FromSeconds(10)));
        Assert.Equal(64, Regex.Count(sass[scored..added], @"MUFU\.EX2", RegexOptions.None, TimeSpan.FromSeconds(10)));
        Assert.InRange(Regex.Count(sass[scored..added], "FMNMX", RegexOptions.None, TimeSpan.FromSeconds(10)), 0, 1);
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [GeneratedRegex(@"FSETP\.GEU\.AND P\d, PT, \|?R\d+\|?, -126", RegexOptions.None, matchTimeoutMilliseconds: 10_000)]
    private static partial Regex Subnormal();

    [GeneratedRegex("CALL[^;]*(div|rem)_[su]64", RegexOptions.None, matchTimeoutMilliseconds: 10_000)]
    private static partial Regex Division();

    /// <summary>A kernel's instructions, of the PTX of that name.</summary>
    async Task<string> Disassemble(string text, string kernel)
    {
        var cubin = Path.Combine(_folder, "kernels.cubin");
        var (code, _, errors) = await ProgramRun.Of(Find(Tool), [$"-arch={text[(text.LastIndexOf('.') + 1)..]}", Path.Combine(Repository.Root, "kernels", "ptx", text + ".ptx"), "-o", cubin]);
        Assert.True(code == 0, errors);
        var (disassembled, all, _) = await ProgramRun.Of(Find("nvdisasm"), ["-c", cubin]);
        Assert.Equal(0, disassembled);
        var begin = all.IndexOf($".text.{kernel}:", StringComparison.Ordinal);
        var end = all.IndexOf(".section", begin, StringComparison.Ordinal);
        return end < 0 ? all[begin..] : all[begin..end];
    }

    /// <summary>A program of NVIDIA's toolkit; skips the test where there is none.</summary>
    static string Find(string program)
    {
        var places = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator).Prepend(Path.Combine(Repository.Root, "artifacts", Tool));
        var found = places.Select(folder => Path.Combine(folder, program)).FirstOrDefault(File.Exists);
        Assert.SkipWhen(found is null, $"Needs {program}: kernels/fetch-ptxas.sh brings it on Debian.");
        return found;
    }
}
