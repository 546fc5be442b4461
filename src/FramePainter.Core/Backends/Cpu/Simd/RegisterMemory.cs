using System.Runtime.CompilerServices;

namespace FramePainter.Backends.Cpu.Simd;

/// <summary>
/// How a loop over columns touches memory. Loops are compiled once for whole registers and once for parts of them:
/// a call for a part, even one never taken, would make the JIT keep every register in memory.
/// </summary>
/// <typeparam name="V">The register.</typeparam>
internal unsafe interface IMemory<V>
    where V : struct
{
    /// <summary>Reads a register, of which so many lanes are left before the end.</summary>
    static abstract V Load(float* source, int left);

    /// <summary>Writes a register, of which so many lanes are left before the end.</summary>
    static abstract void Store(float* destination, V value, int left);
}

/// <summary>There is always a whole register left.</summary>
internal readonly unsafe struct WholeRegisters<L, V> : IMemory<V>
    where L : struct, ILanes<V>
    where V : struct
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Load(float* source, int left) => L.Load(source);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(float* destination, V value, int left) => L.Store(destination, value);
}

/// <summary>Less may be left.</summary>
internal readonly unsafe struct PartRegisters<L, V> : IMemory<V>
    where L : struct, ILanes<V>
    where V : struct
{
    public static V Load(float* source, int left) => L.LoadPart(source, Math.Min(left, L.Count));

    public static void Store(float* destination, V value, int left) => L.StorePart(destination, value, Math.Min(left, L.Count));
}
