using System.Runtime.Intrinsics.X86;

namespace FramePainter.Backends.Cpu.Simd;

/// <summary>What tiles of assembled products are like. The bits of float32 are the same in all of them.</summary>
internal enum TileForm
{
    /// <summary>14 rows (six of AVX2) by one panel. Narrow weights are widened by the first tile of a panel, which keeps them for the others.</summary>
    OnePanel,

    /// <summary>The same, but every tile widens the weights that it reads: nothing is kept, and a panel takes half the cache or less.</summary>
    OnePanelWidening,

    /// <summary>Six rows by two panels, the weights kept. Of AVX-512 only; where the path has no such tiles, <see cref="OnePanel"/>.</summary>
    TwoPanels,
}

/// <summary>The form that suits this machine.</summary>
internal static class TileForms
{
    /// <summary>Intel's processors of AVX-512 with so much first-level cache begin two multiply-adds of 512 bits a cycle (Ice Lake, Sapphire Rapids and later).</summary>
    const int WideBytes = 48 << 10;

    /// <summary>
    /// Two panels make 35 instructions for 24 multiply-adds where 14 rows by one panel take 46 for 28: that counts where few more begin in a cycle than multiply-adds. AMD's
    /// begin many more, and widen on ports that do not multiply.
    /// </summary>
    /// <param name="path">Whose instructions tiles are made of.</param>
    public static TileForm Best(InstructionPath path) =>
        path is InstructionPath.Avx512 or InstructionPath.Avx2 && IsAmd ? TileForm.OnePanelWidening
        : path == InstructionPath.Avx512 && FirstLevelCache.Bytes >= WideBytes ? TileForm.TwoPanels
        : TileForm.OnePanel;

    /// <summary>"AuthenticAMD" in EBX, EDX and ECX of leaf 0.</summary>
    static bool IsAmd => X86Base.IsSupported && X86Base.CpuId(0, 0) is (_, 0x6874_7541, 0x444D_4163, 0x6974_6E65);
}
