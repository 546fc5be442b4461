using FramePainter.Backends.Cpu.Simd;

namespace FramePainter.Backends.Cpu.Kernels;

/// <summary>A function of one number, fused into the loops that take it as a type.</summary>
internal interface IFunction
{
    static abstract V Of<L, V>(V x)
        where L : struct, ILanes<V>
        where V : struct;
}

/// <summary>x.</summary>
internal readonly struct Identity : IFunction
{
    public static V Of<L, V>(V x)
        where L : struct, ILanes<V>
        where V : struct => x;
}

/// <summary>x·sigmoid(x).</summary>
internal readonly struct Silu : IFunction
{
    public static V Of<L, V>(V x)
        where L : struct, ILanes<V>
        where V : struct => VectorMath<L, V>.Silu(x);
}

/// <summary>x·Φ(x).</summary>
internal readonly struct Gelu : IFunction
{
    public static V Of<L, V>(V x)
        where L : struct, ILanes<V>
        where V : struct => VectorMath<L, V>.Gelu(x);
}

/// <summary>x·sigmoid(1.702·x).</summary>
internal readonly struct QuickGelu : IFunction
{
    public static V Of<L, V>(V x)
        where L : struct, ILanes<V>
        where V : struct => VectorMath<L, V>.QuickGelu(x);
}

/// <summary>max(x, 0); NaN stays.</summary>
internal readonly struct Relu : IFunction
{
    public static V Of<L, V>(V x)
        where L : struct, ILanes<V>
        where V : struct => L.Max(L.Zero, x);
}
