using FramePainter.Backends.Cpu.Simd;

namespace FramePainter.Backends.Cpu.Kernels;

/// <summary>Sums over whole numbers (weights kept as Int8) times the factors of their columns.</summary>
internal static unsafe class ColumnScales<L, V>
    where L : struct, ILanes<V>
    where V : struct
{
    /// <summary>Scales a tile in place.</summary>
    /// <param name="sum">Sums, two registers a row.</param>
    /// <param name="rows">How many rows.</param>
    /// <param name="scales">Two registers of factors.</param>
    public static void Apply(float* sum, int rows, float* scales)
    {
        var (first, second) = (L.Load(scales), L.Load(scales + L.Count));
        for (var r = 0; r < rows; r++, sum += 2 * L.Count)
        {
            L.Store(sum, L.Multiply(L.Load(sum), first));
            L.Store(sum + L.Count, L.Multiply(L.Load(sum + L.Count), second));
        }
    }
}
