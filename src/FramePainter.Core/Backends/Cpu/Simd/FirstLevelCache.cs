using System.Runtime.Intrinsics.X86;

namespace FramePainter.Backends.Cpu.Simd;

/// <summary>What the processor says of its first-level data cache.</summary>
internal static class FirstLevelCache
{
    /// <summary>Bytes of the cache, or 0 where the processor does not say.</summary>
    public static long Bytes { get; } = Ask();

    static long Ask()
    {
        if (!X86Base.IsSupported)
        {
            return 0;
        }

        // Leaf 4 of Intel, its like of AMD; leaves that a processor lacks say nothing of the kind.
        foreach (var (leaf, most) in new[] { (4, 0), (unchecked((int)0x8000001D), unchecked((int)0x80000000)) })
        {
            if ((uint)X86Base.CpuId(most, 0).Eax < (uint)leaf)
            {
                continue;
            }

            for (var index = 0; index < 8; index++)
            {
                var (kind, geometry, sets, _) = X86Base.CpuId(leaf, index);
                var (type, level) = (kind & 31, (kind >> 5) & 7);
                if (type == 0)
                {
                    break;
                }

                if (type == 1 && level == 1)
                {
                    return (((geometry >> 22) & 0x3FF) + 1L) * (((geometry >> 12) & 0x3FF) + 1L) * ((geometry & 0xFFF) + 1L) * (sets + 1L);
                }
            }
        }

        return 0;
    }
}
