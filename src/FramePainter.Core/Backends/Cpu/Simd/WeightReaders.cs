using System.Runtime.CompilerServices;

namespace FramePainter.Backends.Cpu.Simd;

/// <summary>Reads floats.</summary>
internal readonly unsafe struct ReadF32<L, V> : IWeightReader<V>
    where L : struct, ILanes<V>
    where V : struct
{
    public static int Size => 4;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Load(byte* weights) => L.Load((float*)weights);
}

/// <summary>Reads IEEE halves.</summary>
internal readonly unsafe struct ReadF16<L, V> : IWeightReader<V>
    where L : struct, ILanes<V>
    where V : struct
{
    public static int Size => 2;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Load(byte* weights) => L.LoadF16((ushort*)weights);
}

/// <summary>Reads bfloat16.</summary>
internal readonly unsafe struct ReadBF16<L, V> : IWeightReader<V>
    where L : struct, ILanes<V>
    where V : struct
{
    public static int Size => 2;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Load(byte* weights) => L.LoadBF16((ushort*)weights);
}

/// <summary>Reads signed bytes as the whole numbers they are.</summary>
internal readonly unsafe struct ReadI8<L, V> : IWeightReader<V>
    where L : struct, ILanes<V>
    where V : struct
{
    public static int Size => 1;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Load(byte* weights) => L.LoadI8((sbyte*)weights);
}
