using FramePainter.Backends.Cpu.Simd;

namespace FramePainter.Core.Tests.Backends;

public sealed class TileFormTests
{
    /// <summary>The maker by the operating system, not by the instruction that the code asks.</summary>
    [Fact]
    public void Weights_are_widened_in_every_tile_where_that_is_free()
    {
        const string file = "/proc/cpuinfo";
        Assert.SkipUnless(File.Exists(file), "There is no such file.");
        var maker = File.ReadLines(file).FirstOrDefault(line => line.StartsWith("vendor_id", StringComparison.Ordinal))?.Split(':')[1].Trim();
        Assert.SkipWhen(maker is null, "It does not say who made the processor.");
        var forms = new[] { InstructionPath.Avx512, InstructionPath.Avx2 }.Select(TileForms.Best);
        Assert.All(forms, form => Assert.Equal(maker == "AuthenticAMD", form == TileForm.OnePanelWidening));
        Assert.Equal(TileForm.OnePanel, TileForms.Best(InstructionPath.Vector128));
        Assert.NotEqual(TileForm.TwoPanels, TileForms.Best(InstructionPath.Avx2));
    }
}
