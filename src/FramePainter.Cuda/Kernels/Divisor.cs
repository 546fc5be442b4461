using System.Numerics;
using System.Runtime.InteropServices;

namespace FramePainter.Cuda.Kernels;

/// <summary>A divisor as what numbers below 2^31 are multiplied by: as the struct of this name under kernels/hopper.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct Divisor
{
    public uint Factor, Shift;

    /// <summary>2^shift / divisor, rounded up. It is too large by less than 1/divisor of 2^(shift − 31), which no quotient of a number below 2^31 notices.</summary>
    /// <param name="divisor">At least 1.</param>
    public static Divisor Of(int divisor)
    {
        var shift = 31 + BitOperations.Log2(BitOperations.RoundUpToPowerOf2((uint)divisor));
        return new Divisor { Factor = (uint)(((1UL << shift) + (uint)divisor - 1) / (uint)divisor), Shift = (uint)shift };
    }

    /// <summary>The quotient, as kernels compute it.</summary>
    /// <param name="number">0 to 2^31 − 1.</param>
    public readonly int Quotient(int number) => (int)((ulong)number * Factor >> (int)Shift);
}
