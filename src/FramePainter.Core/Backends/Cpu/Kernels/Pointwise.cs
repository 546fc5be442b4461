using FramePainter.Backends.Cpu.Simd;

namespace FramePainter.Backends.Cpu.Kernels;

/// <summary>Loops over neighbouring floats that several kernels share. Sources may be the destination itself; NaN goes through.</summary>
internal static unsafe class Pointwise
{
    /// <summary><c>destination = F(source)</c>.</summary>
    public static void Map<L, V, F>(float* source, float* destination, int count)
        where L : struct, ILanes<V>
        where V : struct
        where F : struct, IFunction
    {
        var i = 0;
        for (; i <= count - L.Count; i += L.Count)
        {
            L.Store(destination + i, F.Of<L, V>(L.Load(source + i)));
        }

        if (i < count)
        {
            L.StorePart(destination + i, F.Of<L, V>(L.LoadPart(source + i, count - i)), count - i);
        }
    }

    /// <summary><c>destination = a·left + b·right</c>.</summary>
    public static void WeightedSum<L, V>(float* left, float a, float* right, float b, float* destination, int count)
        where L : struct, ILanes<V>
        where V : struct
    {
        var (va, vb) = (L.Create(a), L.Create(b));
        var i = 0;
        for (; i <= count - L.Count; i += L.Count)
        {
            L.Store(destination + i, L.Fma(va, L.Load(left + i), L.Multiply(vb, L.Load(right + i))));
        }

        if (i < count)
        {
            var part = count - i;
            L.StorePart(destination + i, L.Fma(va, L.LoadPart(left + i, part), L.Multiply(vb, L.LoadPart(right + i, part))), part);
        }
    }

    /// <summary><c>destination = left + right</c>.</summary>
    public static void Add<L, V>(float* left, float* right, float* destination, int count)
        where L : struct, ILanes<V>
        where V : struct
    {
        var i = 0;
        for (; i <= count - L.Count; i += L.Count)
        {
            L.Store(destination + i, L.Add(L.Load(left + i), L.Load(right + i)));
        }

        if (i < count)
        {
            L.StorePart(destination + i, L.Add(L.LoadPart(left + i, count - i), L.LoadPart(right + i, count - i)), count - i);
        }
    }

    /// <summary><c>destination = factor·source</c>.</summary>
    public static void Scale<L, V>(float* source, float factor, float* destination, int count)
        where L : struct, ILanes<V>
        where V : struct
    {
        var f = L.Create(factor);
        var i = 0;
        for (; i <= count - L.Count; i += L.Count)
        {
            L.Store(destination + i, L.Multiply(f, L.Load(source + i)));
        }

        if (i < count)
        {
            L.StorePart(destination + i, L.Multiply(f, L.LoadPart(source + i, count - i)), count - i);
        }
    }

    /// <summary><c>destination = source·factor + offset</c>.</summary>
    public static void Affine<L, V>(float* source, float factor, float offset, float* destination, int count)
        where L : struct, ILanes<V>
        where V : struct
    {
        var (f, o) = (L.Create(factor), L.Create(offset));
        var i = 0;
        for (; i <= count - L.Count; i += L.Count)
        {
            L.Store(destination + i, L.Fma(f, L.Load(source + i), o));
        }

        if (i < count)
        {
            L.StorePart(destination + i, L.Fma(f, L.LoadPart(source + i, count - i), o), count - i);
        }
    }

    /// <summary>Copies.</summary>
    public static void Copy(float* source, float* destination, long count) =>
        Buffer.MemoryCopy(source, destination, count * sizeof(float), count * sizeof(float));
}
